package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.bus.LateWrites;
import dev.peerlane.emulator.bus.Reads;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.pci.Direction;
import dev.peerlane.spec.wire.Cqe;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A controller's access to memory: its own CMB inside the function, everything else over the bus.
 */
final class DmaPort {
    private final EmulatedFunction function;
    private final Cmb cmb;
    private final Interconnect interconnect;
    private final LateWrites late;

    DmaPort(EmulatedFunction function, Cmb cmb, Interconnect interconnect, LateWrites late) {
        this.late = late;
        this.function = function;
        this.cmb = cmb;
        this.interconnect = interconnect;
    }

    /** Reports that an entry of a submission queue has been read. */
    void fetched(int qid, long address, MemorySegment sqe) {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.fetched(function.bdf(), qid, address, sqe);
        }
    }

    /** Reports that a doorbell in memory has a new value. */
    void shadowed(long offset, int value) {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.shadowed(function.bdf(), offset, value);
        }
    }

    private void posted(long address, MemorySegment source, long offset, long bytes) {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.posted(function.bdf(), address, source.asSlice(offset, bytes));
        }
    }

    /** Returns whether a read of this range is answered at once. */
    boolean isImmediate(long address, long bytes) {
        return interconnect.isImmediate() || cmb.offsetOf(address, bytes) >= 0;
    }

    /** Returns whether data moves in runs, not in pieces. */
    boolean movesRuns() {
        return interconnect.movesRuns();
    }

    /** Returns whether all of these bytes can be read or written as one. */
    boolean isOnePlace(long address, long bytes) {
        long own = cmb.offsetOf(address, bytes);
        return own >= 0
                || (own == Cmb.OUTSIDE && interconnect.isOnePlace(function, address, bytes));
    }

    /** Returns whether speed matters more than varied interleavings. */
    boolean isHurried() {
        return interconnect.isHurried();
    }

    /** Returns the range that holds all of these bytes if it is host memory, else null. */
    AddressMap.@Nullable Range hostRange(long address, long bytes) {
        return interconnect.hostRange(address, bytes);
    }

    /** Reports that the data of an I/O command has moved in host memory. */
    void movedInHost(long address, long bytes, Direction direction) {
        interconnect.movedInHost(function, address, bytes, direction);
    }

    /** Reports that bytes have moved in the controller's own CMB. */
    void movedOwn(long address, long bytes, Direction direction, DmaKind kind) {
        interconnect.moved(function, function, address, bytes, direction, kind);
        function.traffic().own(bytes);
    }

    /** Returns whether more data should be sent now. */
    boolean hasRoom() {
        return interconnect.hasRoom(function);
    }

    /** Reads memory into {@code target}. Returns what {@link Interconnect#read} returns. */
    int read(
            long address,
            MemorySegment target,
            long offset,
            long bytes,
            DmaKind kind,
            Reads reads) {
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            movedOwn(address, bytes, Direction.READ, kind);
            MemorySegment.copy(cmb.memory(), own, target, offset, bytes);
            return Interconnect.DONE;
        }
        return interconnect.read(function, address, target, offset, bytes, kind, reads);
    }

    /** Writes {@code source} to memory; returns false if that failed. */
    boolean write(long address, MemorySegment source, long offset, long bytes, DmaKind kind) {
        // a shorter write is an EventIdx, not an entry
        if (kind == DmaKind.QUEUE_ENTRY && bytes == Cqe.BYTES) {
            posted(address, source, offset, bytes);
        }
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            movedOwn(address, bytes, Direction.WRITE, kind);
            Interconnect.store(cmb.memory(), own, source, offset, bytes, kind);
            return true;
        }
        if (late.intercept(address, source, offset, bytes, kind)) {
            return true;
        }
        return interconnect.write(function, address, source, offset, bytes, kind);
    }
}
