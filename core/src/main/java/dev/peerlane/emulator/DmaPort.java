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

    /**
     * Returns where in the own CMB the data of a command is, if it may go between there and the
     * medium at once, without a buffer: all in one piece, with nothing to befall it. Else -1.
     */
    long straight(Command command) {
        DataPages pages = command.pages();
        if (pages.count() != 1 || command.fault() != null || !interconnect.isHurried()) {
            return -1;
        }
        return cmb.offsetOf(pages.address(0), pages.bytes(0));
    }

    /** Returns the own CMB. */
    MemorySegment ownMemory() {
        return cmb.memory();
    }

    /** The data of a command has gone {@link #straight}. */
    void moved(Command command) {
        long bytes = command.bytes();
        interconnect.moved(
                function,
                function,
                command.pages().address(0),
                bytes,
                !command.toHost(),
                Interconnect.Kind.IO_DATA);
        function.traffic().ownMemory += bytes;
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
