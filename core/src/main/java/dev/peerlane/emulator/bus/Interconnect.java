package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.spec.wire.Cqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The interface through which all DMA leaves a function, whatever carries the bytes. It is an
 * abstract class and not a Java interface because the calls are on the hot path.
 */
public abstract class Interconnect {
    /** Result of {@link #read}: the read failed, and the function learns it. */
    public static final int FAILED = 0;

    /** Result of {@link #read}: the bytes are there. */
    public static final int DONE = 1;

    /** Result of {@link #read}: the bytes come later; the reader is notified then. */
    public static final int PENDING = 2;

    private @Nullable BusWatch watch;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    /** Sets the observer of DMA; null for none. */
    public void watch(@Nullable BusWatch watcher) {
        watch = watcher;
    }

    /** Returns the observer of DMA, or null. */
    public @Nullable BusWatch watch() {
        return watch;
    }

    /** Reports that DMA has reached memory. */
    public void moved(
            EmulatedFunction initiator,
            @Nullable EmulatedFunction owner,
            long address,
            long bytes,
            Direction direction,
            DmaKind kind) {
        BusWatch watcher = watch;
        if (watcher != null) {
            Bdf at = owner == null ? null : owner.bdf();
            watcher.moved(initiator.bdf(), at, address, bytes, direction, kind == DmaKind.IO_DATA);
        }
    }

    /**
     * Reads from the bus into a function.
     *
     * @param initiator the function that reads
     * @param address the bus address
     * @param target receives the bytes, from {@code offset} on
     * @param reads is notified if the read takes time
     * @return {@link #DONE}, {@link #FAILED} or {@link #PENDING}
     */
    public abstract int read(
            EmulatedFunction initiator,
            long address,
            MemorySegment target,
            long offset,
            long bytes,
            DmaKind kind,
            Reads reads);

    /** Returns whether all reads are answered at once. */
    public abstract boolean isImmediate();

    /**
     * Returns whether speed matters more than varied interleavings: in real time, and where data
     * moves in runs.
     */
    public abstract boolean isHurried();

    /** Returns whether data moves in runs, not in pieces. */
    public abstract boolean movesRuns();

    /** Returns whether all of these bytes can be read or written as one. */
    public abstract boolean isOnePlace(EmulatedFunction initiator, long address, long bytes);

    /**
     * Returns the range that holds all of these bytes if it is host memory, else null. A caller
     * that moves the bytes itself calls {@link #movedInHost}.
     */
    public abstract AddressMap.@Nullable Range hostRange(long address, long bytes);

    /** Reports that the data of an I/O command has moved in host memory. */
    public final void movedInHost(
            EmulatedFunction initiator, long address, long bytes, Direction direction) {
        moved(initiator, null, address, bytes, direction, DmaKind.IO_DATA);
        initiator.traffic().host(DmaKind.IO_DATA, direction, bytes);
    }

    /** Returns whether a function should send more data now. Queue entries may always be sent. */
    public abstract boolean hasRoom(EmulatedFunction initiator);

    /** Discards the known routes, because a configuration space changed. */
    public abstract void forgetRoutes();

    /**
     * Writes from a function to the bus. The last 8 bytes of a completion queue entry become
     * visible after all others.
     *
     * @param initiator the function that writes
     * @param address the bus address
     * @param source the bytes, from {@code offset} on
     * @return false if the write failed and the function learns it; not for a posted write that
     *     gets lost later
     */
    public abstract boolean write(
            EmulatedFunction initiator,
            long address,
            MemorySegment source,
            long offset,
            long bytes,
            DmaKind kind);

    /** Stores what another function wrote into a BAR, except in its hole. */
    static void store(
            EmulatedFunction owner,
            EmulatedFunction.@Nullable BarSpace bar,
            MemorySegment memory,
            long at,
            MemorySegment source,
            long offset,
            long bytes,
            DmaKind kind) {
        EmulatedFunction.Hole hole = owner.hole();
        if (hole == null || !hole.bar().equals(bar)) {
            store(memory, at, source, offset, bytes, kind);
            return;
        }
        long before = Math.clamp(hole.from() - at, 0, bytes);
        long behind = Math.clamp(hole.from() + hole.bytes() - at, before, bytes);
        store(memory, at, source, offset, before, kind);
        store(memory, at + behind, source, offset + behind, bytes - behind, kind);
    }

    /**
     * Returns the length of the aligned blocks into which a write is split; the bytes of one block
     * arrive or get lost together.
     */
    abstract long packetBytes();

    /**
     * Stores what was written. Of a completion queue entry, the half with the phase tag is stored
     * last.
     */
    public static void store(
            MemorySegment memory,
            long at,
            MemorySegment source,
            long offset,
            long bytes,
            DmaKind kind) {
        if (kind == DmaKind.QUEUE_ENTRY && bytes == Cqe.BYTES) {
            memory.set(ValueLayout.JAVA_LONG, at, source.get(ValueLayout.JAVA_LONG, offset));
            LONG.setRelease(memory, at + 8, source.get(ValueLayout.JAVA_LONG, offset + 8));
        } else {
            MemorySegment.copy(source, offset, memory, at, bytes);
        }
    }
}
