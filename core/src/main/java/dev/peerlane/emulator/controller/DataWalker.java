package dev.peerlane.emulator.controller;

import dev.peerlane.Bits;
import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;

/**
 * Finds the places of a command's data, and checks them against the rules of the CMB (NVMe Base
 * 2.0, 3.1.3.11, 3.1.3.12): which uses it supports, and what may not be mixed.
 */
abstract class DataWalker {
    /** Result of {@link #walk}: a list has to arrive first. */
    static final int PENDING = -1;

    private static final int PAGE = Bits.PAGE_BYTES;
    private static final int MAX_PIECE_BYTES = 64 << 10;
    private static final int MAX_RUN_BYTES = 1 << 20;
    private static final int MAX_LIST_BYTES = 1 << 16;

    private final DmaPort dma;
    private final Cmb cmb;
    private final MemorySegment shared = MemorySegment.ofArray(new long[MAX_LIST_BYTES / 8]);
    private MemorySegment list = shared;
    private int listsSeen;
    private boolean dataOwn;
    private boolean dataOther;
    private boolean listOwn;
    private boolean listOther;

    DataWalker(DmaPort dma, Cmb cmb) {
        this.dma = dma;
        this.cmb = cmb;
    }

    /**
     * Finds the places of the data of a command whose {@link Command#transfer} is known.
     *
     * @return 0, the status with which the command has to end, or {@link #PENDING} to be called
     *     again once the command has no outstanding reads
     */
    final int walk(Command command, int pageBytes) {
        listsSeen = 0;
        dataOwn = false;
        dataOther = false;
        listOwn = false;
        listOther = false;
        command.pages().start();
        int status = places(command, pageBytes);
        return status != 0 ? status : checkPlaces(command);
    }

    /** Adds all places. Returns what {@link #walk} returns. */
    abstract int places(Command command, int pageBytes);

    /**
     * Adds the place of the next bytes of the data, split at page boundaries. Returns a status, 0
     * for success.
     */
    final int addData(DataPages pages, long address, long bytes) {
        long next = address;
        long left = bytes;
        while (left > 0) {
            int onPage = (int) (next & (PAGE - 1));
            int piece = (int) Math.min(left, MAX_PIECE_BYTES - onPage);
            if (piece > PAGE - onPage && !dma.isOnePlace(next, piece)) {
                piece = PAGE - onPage;
            }
            int status = addPiece(pages, next, piece);
            if (status != 0) {
                return status;
            }
            next += piece;
            left -= piece;
        }
        return 0;
    }

    private int addPiece(DataPages pages, long address, int bytes) {
        long own = cmb.offsetOf(address, bytes);
        if (own == Cmb.PARTLY) {
            return Status.INVALID_CMB_USE;
        }
        dataOwn |= own >= 0;
        dataOther |= own < 0;
        if (dma.movesRuns() && pages.goesOnAt(address) && isOneRun(pages, bytes)) {
            pages.extend(bytes);
        } else {
            pages.add(address, bytes);
        }
        return 0;
    }

    /**
     * Returns whether the last piece can become that much longer. Its end may lie in another
     * mapping.
     */
    private boolean isOneRun(DataPages pages, int bytes) {
        int last = pages.count() - 1;
        int run = pages.bytes(last) + bytes;
        return run <= MAX_RUN_BYTES && dma.isOnePlace(pages.address(last), run);
    }

    /** Reads at most 64 KiB of a list. Returns what {@link #walk} returns. */
    final int addList(Command command, long address, long bytes) {
        long own = cmb.offsetOf(address, bytes);
        if (own == Cmb.PARTLY) {
            return Status.INVALID_CMB_USE;
        }
        listOwn |= own >= 0;
        listOther |= own < 0;
        if (own >= 0 && (cmb.support() & CmbModel.LISTS) == 0) {
            return Status.INVALID_CMB_USE;
        }
        if (listsSeen < command.lists().size()) {
            list = command.lists().get(listsSeen++);
            return 0;
        }
        list = shared;
        if (!dma.isImmediate(address, bytes)) {
            // this memory must live until the answer, and other commands are walked in between
            list = MemorySegment.ofArray(new long[(int) ((bytes + 7) / 8)]);
            command.lists().add(list);
        }
        return switch (read(command, address, bytes)) {
            case Interconnect.DONE -> 0;
            case Interconnect.PENDING -> PENDING;
            default -> Status.DATA_TRANSFER_ERROR;
        };
    }

    /** Reads a list at once, or page by page if it continues in another mapping. */
    private int read(Command command, long address, long bytes) {
        boolean whole = !dma.isImmediate(address, bytes) || dma.isOnePlace(address, bytes);
        int answer = Interconnect.DONE;
        long done = 0;
        while (done < bytes && answer == Interconnect.DONE) {
            long at = address + done;
            long n = whole ? bytes : Math.min(bytes - done, PAGE - (at & (PAGE - 1)));
            answer = dma.read(at, list, done, n, DmaKind.PRP_LIST, command.reads());
            done += n;
        }
        return answer;
    }

    /** Returns the list that was read last. */
    final MemorySegment list() {
        return list;
    }

    private int checkPlaces(Command command) {
        int needed = command.toHost() ? CmbModel.RDS : CmbModel.WDS;
        boolean unsupported = dataOwn && (cmb.support() & needed) == 0;
        int rules = cmb.rules();
        boolean mixedData = dataOwn && dataOther && (rules & CmbModel.CDMMMS) == 0;
        boolean mixedLists = listOwn && listOther && (rules & CmbModel.CDPMLS) == 0;
        boolean apart =
                (rules & CmbModel.CDPCILS) == 0
                        && (queueInCmb(command.queue()) ? listOther : listOwn);
        return unsupported || mixedData || mixedLists || apart ? Status.INVALID_CMB_USE : 0;
    }

    private boolean queueInCmb(SubmissionQueue queue) {
        return cmb.offsetOf(queue.base(), Sqe.BYTES) >= 0;
    }
}
