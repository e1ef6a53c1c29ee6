package dev.peerlane.emulator;

import java.lang.foreign.MemorySegment;

/** A controller's way to memory: its own CMB inside the function, everything else on the bus. */
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

    /** An entry of a submission queue has been read. */
    void fetched(SubmissionQueue queue, Command command) {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.fetched(function.bdf(), queue.qid(), command.entryAddress(), command.sqe());
        }
    }

    private void posted(long address, MemorySegment source, long offset, long bytes) {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.posted(function.bdf(), address, source.asSlice(offset, bytes));
        }
    }

    /** Returns whether a read there is answered at once. */
    boolean isImmediate(long address, long bytes) {
        return interconnect.isImmediate() || cmb.offsetOf(address, bytes) >= 0;
    }

    /** Returns whether more data should be sent now. */
    boolean hasRoom() {
        return interconnect.hasRoom(function);
    }

    /** Reads memory into {@code target}; answers as {@link Interconnect#read}. */
    int read(
            long address,
            MemorySegment target,
            long offset,
            long bytes,
            Interconnect.Kind kind,
            Reads reads) {
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            interconnect.moved(function, function, address, bytes, true, kind);
            MemorySegment.copy(cmb.memory(), own, target, offset, bytes);
            function.traffic().ownMemory += bytes;
            return Interconnect.DONE;
        }
        return interconnect.read(function, address, target, offset, bytes, kind, reads);
    }

    /** Writes {@code source} to memory; false if it failed. */
    boolean write(
            long address, MemorySegment source, long offset, long bytes, Interconnect.Kind kind) {
        if (kind == Interconnect.Kind.QUEUE_ENTRY) {
            posted(address, source, offset, bytes);
        }
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            interconnect.moved(function, function, address, bytes, false, kind);
            Interconnect.store(cmb.memory(), own, source, offset, bytes, kind);
            function.traffic().ownMemory += bytes;
            return true;
        }
        if (late.intercept(address, source, offset, bytes, kind)) {
            return true;
        }
        return interconnect.write(function, address, source, offset, bytes, kind);
    }
}
