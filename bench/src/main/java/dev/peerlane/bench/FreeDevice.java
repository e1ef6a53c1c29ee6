package dev.peerlane.bench;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.MappedDoorbell;
import dev.peerlane.mem.Dma;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.wire.Cqe;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A port of the real driver on a device whose I/O costs nothing. An emulated controller answers
 * admin commands. The doorbells of the only I/O queue pair are plain memory, which {@link #play}
 * reads on the driver's own thread. It completes every command with success and moves no data.
 */
final class FreeDevice implements AutoCloseable {
    private static final int BLOCK_SHIFT = 9;
    private static final int PAGE = 4096;
    private static final int QID = 1;
    private static final long PHASE = 1L << 48;
    private static final long CID_BITS = 0xffff_0000L; // of command dword 0
    private static final long SQ_TAIL = Reg.sqTailDoorbell(QID, 0) - (long) Reg.DOORBELLS;

    /** How the driver describes data and announces commands. */
    enum Form {
        PRP("4 KiB, PRP", PAGE),
        PRP_LIST("16 KiB, PRP list", 4 * PAGE),
        SGL("16 KiB, SGL", 4 * PAGE),
        SHADOW("4 KiB, PRP, shadow doorbells", PAGE);

        private final String text;
        private final int bytes;

        Form(String text, int bytes) {
            this.text = text;
            this.bytes = bytes;
        }

        /** Returns a description for people. */
        String text() {
            return text;
        }

        /** Returns the number of blocks of a Read. */
        int blocks() {
            return bytes >> BLOCK_SHIFT;
        }
    }

    private final Arena arena = Arena.ofShared();
    private final MemorySegment doorbells = arena.allocate(Reg.DOORBELLS, Reg.DOORBELLS);
    private final EmulatedFabric fabric;
    private final PciDevice inner;
    private final Controller controller;
    private final PeerBuffer slots;
    private final NvmeBlockPort port;
    private final int entries;
    private final long tailBase; // the address of the submission queue's doorbell or its shadow
    private final long sq;
    private final long cq;
    private @Nullable DmaBuffer lastAllocated;
    private @Nullable DmaBuffer shadows;

    private int head; // of the submission queue, and tail of the completion queue
    private long phase = PHASE | (long) QID << 16;

    /** Brings up the controller and attaches {@code depth} slots in its CMB. */
    FreeDevice(int depth, Form form) {
        long slotBytes = form.bytes;
        DriveModel drive =
                DriveModel.named("free")
                        .memory(64 << 20, 512)
                        .cmb(CmbModel.of(depth * slotBytes))
                        .sgls(form == Form.SGL ? DriveModel.Sgls.BYTES : DriveModel.Sgls.NONE)
                        .doorbellBuffer(form == Form.SHADOW)
                        .build();
        fabric = new EmulatedFabric(FabricModel.builder().drive(drive).build());
        inner = fabric.open(drive.locator());
        ControllerOptions options = ControllerOptions.DEFAULTS.withAsyncEvents(0);
        controller = Controller.open(new Function(), new Memory(), fabric.clock(), options);
        controller.requireCmb().enable(controller.dma());
        slots = controller.requireCmb().allocate(depth * slotBytes, PAGE);
        lastAllocated = null;
        port = controller.namespace(1).port(depth);
        DmaBuffer rings = lastAllocated;
        if (rings == null || port.limits().depth() != depth) {
            throw new IllegalStateException("no queue pair of depth " + depth);
        }
        entries = Integer.highestOneBit(depth) << 1;
        sq = Dma.checkBase(rings.address());
        long sqBytes = ((long) entries * Sqe.BYTES + PAGE - 1) & -PAGE;
        cq = Dma.checkBase(rings.address() + sqBytes);
        DmaBuffer shadow = shadows;
        if ((shadow != null) != (form == Form.SHADOW)) {
            throw new IllegalStateException("shadow doorbells: " + shadow + " with " + form);
        }
        tailBase = Dma.checkBase(shadow != null ? shadow.address() : doorbells.address());
        port.attach(slots, 0, form.bytes, form.bytes, depth);
    }

    NvmeBlockPort port() {
        return port;
    }

    /** Returns the address of the submission queue's doorbell in this process. */
    long doorbellAddress() {
        return tailBase + SQ_TAIL;
    }

    int entries() {
        return entries;
    }

    /**
     * Completes all commands that the doorbell announces, the same work as {@code play} in
     * driver.c.
     */
    void play() {
        int tail = Dma.loadIntAcquire(tailBase, SQ_TAIL);
        int at = head;
        while (at != tail) {
            long place = Integer.toUnsignedLong(at);
            long cid = (Dma.loadInt(sq, place * Sqe.BYTES + Sqe.CDW0) & CID_BITS) << 16;
            at = (at + 1) & (entries - 1);
            long dw23 = phase | cid | Integer.toUnsignedLong(at);
            Dma.storeLong(cq, place * Cqe.BYTES + Cqe.DW2, dw23);
            if (at == 0) {
                phase ^= PHASE;
            }
        }
        head = at;
    }

    @Override
    public void close() {
        port.close();
        slots.close();
        controller.close();
        inner.close();
        fabric.close();
        arena.close();
    }

    /** The emulated function, with doorbells in memory. */
    private final class Function extends PciDevice {
        @Override
        public Bdf bdf() {
            return inner.bdf();
        }

        @Override
        public String locator() {
            return inner.locator();
        }

        @Override
        public ConfigSpace config() {
            return inner.config();
        }

        @Override
        public Bar bar(int index) {
            Bar bar = inner.bar(index);
            return index == 0 ? new Window(bar) : bar;
        }

        @Override
        public void busMaster(boolean enabled) {
            inner.busMaster(enabled);
        }

        @Override
        public void reset() {
            inner.reset();
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    /** BAR 0 with I/O doorbells in memory. */
    private final class Window extends Bar {
        private final Bar bar;

        Window(Bar bar) {
            this.bar = bar;
        }

        @Override
        public int index() {
            return bar.index();
        }

        @Override
        public long sizeBytes() {
            return bar.sizeBytes();
        }

        @Override
        public long pciAddress() {
            return bar.pciAddress();
        }

        @Override
        public int load32(long offset) {
            return bar.load32(offset);
        }

        @Override
        public void store32(long offset, int value) {
            bar.store32(offset, value);
        }

        @Override
        public long load64(long offset) {
            return bar.load64(offset);
        }

        @Override
        public void store64(long offset, long value) {
            bar.store64(offset, value);
        }

        @Override
        public Doorbell doorbell(long offset) {
            return offset < Reg.sqTailDoorbell(QID, 0)
                    ? bar.doorbell(offset)
                    : new MappedDoorbell(doorbells.address() + offset - Reg.DOORBELLS);
        }
    }

    /** The fabric's memory. Records allocations, to find rings and shadow doorbells. */
    private final class Memory extends DmaDomain {
        @Override
        public int pageBytes() {
            return fabric.dma().pageBytes();
        }

        @Override
        public DmaBuffer allocate(long sizeBytes) {
            DmaBuffer buffer = fabric.dma().allocate(sizeBytes);
            lastAllocated = buffer;
            if (sizeBytes == 2 * PAGE) { // a page of doorbells and one of EventIdx
                shadows = buffer;
            }
            return buffer;
        }

        @Override
        public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
            return fabric.dma().mapPeer(inner, bar, offset, sizeBytes);
        }
    }
}
