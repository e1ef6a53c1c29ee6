package dev.peerlane.emulator;

import dev.peerlane.spec.Cqe;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A controller's way to memory: its own CMB inside the function, everything else on the bus. */
final class DmaPort {
    private static final int PAGE_BYTES = 4096;

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

    /** A doorbell in memory has another value. */
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

    /** Returns whether a read there is answered at once. */
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

    /**
     * Returns whether the data of a command may go between memory and medium at once, without a
     * buffer: nothing is to befall it, and all of it is in the own CMB in one piece or, where data
     * moves in runs, anywhere in it and in host memory.
     */
    boolean isStraight(Command command, Media media, int blockBytes) {
        if (command.fault() != null || !interconnect.isHurried()) {
            return false;
        }
        DataPages pages = command.pages();
        int count = pages.count();
        if (count == 1 && cmb.offsetOf(pages.address(0), pages.bytes(0)) >= 0) {
            return true;
        }
        if (!interconnect.movesRuns() || !media.takesAnyMemory()) {
            return false;
        }
        // memory of a client may go away while it is read: then no block is half written
        int wholeBytes = command.toHost() ? 1 : blockBytes;
        for (int i = 0; i < count; i++) {
            long address = pages.address(i);
            int bytes = pages.bytes(i);
            boolean whole = wholeBytes <= PAGE_BYTES && ((address | bytes) & (wholeBytes - 1)) == 0;
            boolean own = cmb.offsetOf(address, bytes) >= 0;
            if (!whole || (!own && interconnect.hostRange(address, bytes) == null)) {
                return false;
            }
        }
        return true;
    }

    /** Moves the data of a command that {@link #isStraight}. */
    void moveStraight(Command command, Media media, long position, boolean durable)
            throws IOException {
        DataPages pages = command.pages();
        boolean reads = command.toHost();
        for (int i = 0; i < pages.count(); i++) {
            long address = pages.address(i);
            long bytes = pages.bytes(i);
            long own = cmb.offsetOf(address, bytes);
            AddressMap.Range host = own >= 0 ? null : interconnect.hostRange(address, bytes);
            MemorySegment memory = host == null ? cmb.memory() : host.memory();
            long offset = host == null ? own : host.memoryOffset() + (address - host.base());
            if (reads) {
                media.read(position + pages.dataOffset(i), memory, offset, bytes);
            } else {
                media.write(position + pages.dataOffset(i), memory, offset, bytes, durable);
            }
            if (host == null) {
                movedOwn(address, bytes, !reads, DmaKind.IO_DATA);
            } else {
                interconnect.movedInHost(function, address, bytes, !reads);
            }
        }
    }

    private void movedOwn(long address, long bytes, boolean read, DmaKind kind) {
        interconnect.moved(function, function, address, bytes, read, kind);
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
            DmaKind kind,
            Reads reads) {
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            movedOwn(address, bytes, true, kind);
            MemorySegment.copy(cmb.memory(), own, target, offset, bytes);
            return Interconnect.DONE;
        }
        return interconnect.read(function, address, target, offset, bytes, kind, reads);
    }

    /** Writes {@code source} to memory; false if it failed. */
    boolean write(
            long address, MemorySegment source, long offset, long bytes, DmaKind kind) {
        // an EventIdx is no entry
        if (kind == DmaKind.QUEUE_ENTRY && bytes == Cqe.BYTES) {
            posted(address, source, offset, bytes);
        }
        long own = cmb.offsetOf(address, bytes);
        if (own >= 0) {
            movedOwn(address, bytes, false, kind);
            Interconnect.store(cmb.memory(), own, source, offset, bytes, kind);
            return true;
        }
        if (late.intercept(address, source, offset, bytes, kind)) {
            return true;
        }
        return interconnect.write(function, address, source, offset, bytes, kind);
    }
}
