package dev.peerlane.emulator.controller;

import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Finds the pages of a command's data from its PRP entries and lists (NVMe Base 2.0, 4.1.1). */
final class PrpWalker extends DataWalker {
    private static final ValueLayout.OfLong ENTRY =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int ENTRY_BYTES = 8;

    PrpWalker(DmaPort dma, Cmb cmb) {
        super(dma, cmb);
    }

    @Override
    int places(Command command, int pageBytes) {
        MemorySegment sqe = command.sqe();
        long prp1 = Sqe.prp1(sqe, 0);
        long offset = prp1 & (pageBytes - 1);
        if ((offset & 3) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        DataPages pages = command.pages();
        int first = (int) Math.min(command.bytes(), pageBytes - offset);
        int status = addData(pages, prp1, first);
        long rest = command.bytes() - first;
        if (status != 0 || rest == 0) {
            return status;
        }
        long prp2 = Sqe.prp2(sqe, 0);
        if (rest <= pageBytes) {
            return addPage(command, prp2, pageBytes);
        }
        if ((prp2 & (ENTRY_BYTES - 1)) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        return lists(command, prp2, pageBytes);
    }

    /** Follows the list at {@code at}. If there is more, its last entry points to the next list. */
    private int lists(Command command, long at, int pageBytes) {
        DataPages pages = command.pages();
        long next = at;
        while (pages.added() < command.bytes()) {
            int room = (int) ((pageBytes - (next & (pageBytes - 1))) / ENTRY_BYTES);
            long rest = command.bytes() - pages.added();
            long left = (rest + pageBytes - 1) / pageBytes;
            boolean chained = left > room;
            int entries = chained ? room : (int) left;
            int status = addList(command, next, (long) entries * ENTRY_BYTES);
            if (status != 0) {
                return status;
            }
            MemorySegment list = list();
            int data = chained ? entries - 1 : entries;
            for (int i = 0; i < data; i++) {
                status = addPage(command, list.get(ENTRY, (long) i * ENTRY_BYTES), pageBytes);
                if (status != 0) {
                    return status;
                }
            }
            if (chained) {
                long link = list.get(ENTRY, (long) data * ENTRY_BYTES);
                if ((link & (pageBytes - 1)) != 0) {
                    return Status.PRP_OFFSET_INVALID;
                }
                // only the first list may hold a single entry, the link; so every later list makes
                // progress
                next = link;
            }
        }
        return 0;
    }

    private int addPage(Command command, long entry, int pageBytes) {
        if ((entry & (pageBytes - 1)) != 0) {
            return Status.PRP_OFFSET_INVALID;
        }
        DataPages pages = command.pages();
        int bytes = (int) Math.min(pageBytes, command.bytes() - pages.added());
        return addData(pages, entry, bytes);
    }
}
