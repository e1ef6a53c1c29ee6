package dev.peerlane.nvme;

import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.mem.Dma;
import dev.peerlane.spec.wire.Reg;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Doorbells of the I/O queues in host memory (NVMe Base 2.0, 5.8 and annex B.5). The driver writes
 * values to one page. In the other page, EventIdx, the controller states at which value it wants
 * the register written too. For a controller emulated by another program, each register write that
 * is saved saves an exit or a wake-up. The admin queues keep their registers.
 */
final class ShadowDoorbells {
    private static final int PAGE = PrpList.PAGE;

    private final int dstrd;
    private final DmaBuffer memory;
    private final long shadows;
    private final long events;

    private ShadowDoorbells(DmaBuffer memory, int dstrd) {
        this.dstrd = dstrd;
        this.memory = memory;
        this.shadows = Dma.checkBase(memory.address());
        this.events = shadows + PAGE;
    }

    /**
     * Allocates the two pages for the doorbells of a controller.
     *
     * @param pairs maximum number of I/O queue pairs
     * @return null if the doorbells do not fit into one page
     */
    static @Nullable ShadowDoorbells allocate(DmaDomain dma, int dstrd, int pairs) {
        boolean fits = (8L * (pairs + 1)) << dstrd <= PAGE;
        return fits ? new ShadowDoorbells(dma.allocate(2 * PAGE), dstrd) : null;
    }

    /** Returns the bus address of the page of values. */
    long busAddress() {
        return memory.busAddress();
    }

    /** Returns the bus address of the page of EventIdx. */
    long eventsBusAddress() {
        return memory.busAddress() + PAGE;
    }

    /** Sets the doorbells of a queue pair to 0, like its registers, before the pair is created. */
    void clear(int qid) {
        for (long base : new long[] {shadows, events}) {
            Dma.storeInt(base, place(Reg.sqTailDoorbell(qid, dstrd)), 0);
            Dma.storeIntRelease(base, place(Reg.cqHeadDoorbell(qid, dstrd)), 0);
        }
    }

    /** Returns a doorbell that writes the register only when necessary. */
    Doorbell of(int offset, Doorbell register) {
        return new Shadow(shadows, events, place(offset), register);
    }

    private static long place(int offset) {
        return offset - (long) Reg.DOORBELLS;
    }

    /** Frees the memory. Call this only when the controller can no longer access it. */
    void free() {
        memory.close();
    }

    private static final class Shadow extends Doorbell {
        private final long shadows;
        private final long events;
        private final long place;
        private final Doorbell register;
        private int last;

        Shadow(long shadows, long events, long place, Doorbell register) {
            this.shadows = shadows;
            this.events = events;
            this.place = place;
            this.register = register;
        }

        @Override
        public void ring(int value) {
            int before = last;
            last = value;
            Dma.storeIntRelease(shadows, place, value);
            // Load EventIdx after the value is visible, or both sides could wait for each other.
            VarHandle.fullFence();
            int event = Dma.loadIntAcquire(events, place);
            // Whether EventIdx is among the values that were passed, in 16 bits that wrap (B.5).
            if (((value - event - 1) & 0xffff) < ((value - before) & 0xffff)) {
                register.ring(value);
            }
        }
    }
}
