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
 * How DMA leaves a function: the one narrow place between controllers and whatever carries their
 * bytes. An abstract class rather than an interface because the calls are on the hot path.
 */
public abstract class Interconnect {
    /** Answer of {@link #read}: the function learns that it failed. */
    public static final int FAILED = 0;

    /** Answer of {@link #read}: the bytes are there. */
    public static final int DONE = 1;

    /** Answer of {@link #read}: the bytes come later, and the reader is told. */
    public static final int PENDING = 2;

    private @Nullable BusWatch watch;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    /** Sets the watcher of what moves; null for none. */
    public void watch(@Nullable BusWatch watcher) {
        watch = watcher;
    }

    /** Returns the watcher of what moves, or null. */
    public @Nullable BusWatch watch() {
        return watch;
    }

    /** DMA has reached memory. */
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
     * @param initiator who reads
     * @param address bus address
     * @param target where to, from {@code offset} on
     * @param reads who waits if it takes time
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
     * Returns whether speed is worth more than an interleaving: where the clock is the real one,
     * and where data moves in runs.
     */
    public abstract boolean isHurried();

    /** Returns whether data moves in runs, not in pieces. */
    public abstract boolean movesRuns();

    /** Returns whether all of these bytes can be read or written as one. */
    public abstract boolean isOnePlace(EmulatedFunction initiator, long address, long bytes);

    /**
     * Returns where all of these bytes are if that is host memory, else null. Whoever moves them
     * there himself tells {@link #movedInHost}.
     */
    public abstract AddressMap.@Nullable Range hostRange(long address, long bytes);

    /** Data of an I/O command has moved in host memory. */
    public final void movedInHost(
            EmulatedFunction initiator, long address, long bytes, Direction direction) {
        moved(initiator, null, address, bytes, direction, DmaKind.IO_DATA);
        initiator.traffic().host(DmaKind.IO_DATA, direction, bytes);
    }

    /** Returns whether a function should send more data now; queue entries always go. */
    public abstract boolean hasRoom(EmulatedFunction initiator);

    /** Forgets what it knows of routes, since a configuration space changed. */
    public abstract void forgetRoutes();

    /**
     * Writes from a function to the bus; the last 8 bytes of a completion queue entry become
     * visible after all others.
     *
     * @param initiator who writes
     * @param address bus address
     * @param source what, from {@code offset} on
     * @return false if the function learns that it failed; a posted write that gets lost later is
     *     none of its business
     */
    public abstract boolean write(
            EmulatedFunction initiator,
            long address,
            MemorySegment source,
            long offset,
            long bytes,
            DmaKind kind);

    /** Stores what another function wrote into a BAR, around its hole if it has one. */
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
     * Returns how many bytes of a write arrive or get lost together, from one multiple of it to the
     * next.
     */
    abstract long packetBytes();

    /** Stores what was written; of a completion queue entry the half with the phase tag last. */
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
