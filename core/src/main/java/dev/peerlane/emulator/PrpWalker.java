package dev.peerlane.emulator;

import dev.peerlane.spec.Sqe;
import dev.peerlane.spec.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Finds the pages of a command's data from its PRP entries and lists (NVMe Base 2.0, 4.1.1), and
 * holds them to the rules of the CMB (3.1.3.11, 3.1.3.12): what it supports, and what may not be
 * mixed.
 */
final class PrpWalker {
    private static final ValueLayout.OfLong ENTRY =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Answer of {@link #walk}: a list has to arrive first. */
    static final int PENDING = -1;

    private static final int ENTRY_BYTES = 8;
    private static final int MAX_PAGE_BYTES = 1 << 16;

    private final DmaPort dma;
    private final Cmb cmb;
    private final MemorySegment shared = MemorySegment.ofArray(new long[MAX_PAGE_BYTES / 8]);
    private MemorySegment list = shared;
    private int listsSeen;
    private boolean dataOwn;
    private boolean dataOther;
    private boolean listOwn;
    private boolean listOther;

    PrpWalker(DmaPort dma, Cmb cmb) {
        this.dma = dma;
        this.cmb = cmb;
    }

    /**
     * Fills in the pages of a command whose {@link Command#transfer} is known.
     *
     * @return 0, the status with which the command has to end, or {@link #PENDING}: then it is to
     *     be asked again when the command's reads are quiet
     */
    int walk(Command command, int pageBytes) {
        listsSeen = 0;
        dataOwn = false;
        dataOther = false;
        listOwn = false;
        listOther = false;
        int status = pages(command, pageBytes);
        return status != 0 ? status : checkPlaces(command);
    }

    private int pages(Command command, int pageBytes) {
        MemorySegment sqe = command.sqe();
        long prp1 = Sqe.prp1(sqe, 0);
        long offset = prp1 & (pageBytes - 1);
        if ((offset & 3) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        DataPages pages = command.pages();
        pages.start(
                command.bytes(), (int) Math.min(command.bytes(), pageBytes - offset), pageBytes);
        int needed = pages.needed();
        int status = addData(pages, prp1);
        if (status != 0 || needed == 1) {
            return status;
        }
        long prp2 = Sqe.prp2(sqe, 0);
        if (needed == 2) {
            return (prp2 & (pageBytes - 1)) != 0 ? Status.PRP_OFFSET_INVALID : addData(pages, prp2);
        }
        if ((prp2 & (ENTRY_BYTES - 1)) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        return lists(command, prp2, needed, pageBytes);
    }

    /** Follows the list at {@code at}; its last entry leads to the next list if there is more. */
    private int lists(Command command, long at, int needed, int pageBytes) {
        DataPages pages = command.pages();
        long next = at;
        while (pages.count() < needed) {
            int room = (int) ((pageBytes - (next & (pageBytes - 1))) / ENTRY_BYTES);
            int left = needed - pages.count();
            boolean chained = left > room;
            int entries = chained ? room : left;
            int status = addList(command, next, (long) entries * ENTRY_BYTES);
            if (status != 0) {
                return status;
            }
            int data = chained ? entries - 1 : entries;
            for (int i = 0; i < data; i++) {
                long entry = list.get(ENTRY, (long) i * ENTRY_BYTES);
                status =
                        (entry & (pageBytes - 1)) != 0
                                ? Status.PRP_OFFSET_INVALID
                                : addData(pages, entry);
                if (status != 0) {
                    return status;
                }
            }
            if (chained) {
                long link = list.get(ENTRY, (long) data * ENTRY_BYTES);
                if ((link & (pageBytes - 1)) != 0) {
                    return Status.PRP_OFFSET_INVALID;
                }
                // a first list of one entry holds nothing but the link; any other makes progress
                next = link;
            }
        }
        return 0;
    }

    private int addData(DataPages pages, long address) {
        long own = cmb.offsetOf(address, pages.bytes(pages.count()));
        if (own == Cmb.PARTLY) {
            return Status.INVALID_CMB_USE;
        }
        dataOwn |= own >= 0;
        dataOther |= own < 0;
        pages.add(address);
        return 0;
    }

    private int addList(Command command, long address, long bytes) {
        long own = cmb.offsetOf(address, bytes);
        if (own == Cmb.PARTLY) {
            return Status.INVALID_CMB_USE;
        }
        listOwn |= own >= 0;
        listOther |= own < 0;
        if (own >= 0 && (cmb.support() & CmbSpec.LISTS) == 0) {
            return Status.INVALID_CMB_USE;
        }
        if (listsSeen < command.lists().size()) {
            list = command.lists().get(listsSeen++);
            return 0;
        }
        list = shared;
        if (!dma.isImmediate(address, bytes)) {
            // alive from the question to the answer; other commands are walked in between
            list = MemorySegment.ofArray(new long[(int) (bytes / ENTRY_BYTES)]);
            command.lists().add(list);
        }
        return switch (dma.read(
                address, list, 0, bytes, Interconnect.Kind.PRP_LIST, command.reads())) {
            case Interconnect.DONE -> 0;
            case Interconnect.PENDING -> PENDING;
            default -> Status.DATA_TRANSFER_ERROR;
        };
    }

    private int checkPlaces(Command command) {
        int needed = command.toHost() ? CmbSpec.RDS : CmbSpec.WDS;
        boolean unsupported = dataOwn && (cmb.support() & needed) == 0;
        int rules = cmb.rules();
        boolean mixedData = dataOwn && dataOther && (rules & CmbSpec.CDMMMS) == 0;
        boolean mixedLists = listOwn && listOther && (rules & CmbSpec.CDPMLS) == 0;
        boolean apart =
                (rules & CmbSpec.CDPCILS) == 0
                        && (queueInCmb(command.queue()) ? listOther : listOwn);
        return unsupported || mixedData || mixedLists || apart ? Status.INVALID_CMB_USE : 0;
    }

    private boolean queueInCmb(SubmissionQueue queue) {
        return cmb.offsetOf(queue.base(), Sqe.BYTES) >= 0;
    }
}
