package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** Fills the structures that a kernel returns, capabilities included. */
final class FakeStructures {
    /** Shift of a region's index to its offset in the device's file. */
    static final long REGION_SHIFT = 40;

    private FakeStructures() {}

    static long iommuInfo(MemorySegment info, List<Span> ranges, int mappingsAllowed) {
        int needed = 24 + 16 + 16 * ranges.size() + 12;
        int room = info.get(JAVA_INT, 0);
        info.set(JAVA_INT, 4, 3);
        info.set(JAVA_LONG, 8, 0x40201000L);
        if (room < needed) {
            info.set(JAVA_INT, 0, needed);
            info.set(JAVA_INT, 16, 0);
            return 0;
        }
        info.set(JAVA_INT, 16, 24);
        info.set(JAVA_SHORT_UNALIGNED, 24, (short) 3); // number of mappings left
        info.set(JAVA_INT_UNALIGNED, 28, 36);
        info.set(JAVA_INT_UNALIGNED, 32, mappingsAllowed);
        info.set(JAVA_SHORT_UNALIGNED, 36, (short) 1);
        info.set(JAVA_INT_UNALIGNED, 40, 0);
        info.set(JAVA_INT_UNALIGNED, 44, ranges.size());
        for (int i = 0; i < ranges.size(); i++) {
            info.set(JAVA_LONG_UNALIGNED, 52 + 16L * i, ranges.get(i).start());
            info.set(JAVA_LONG_UNALIGNED, 60 + 16L * i, ranges.get(i).last());
        }
        return 0;
    }

    static long regionInfo(FakeDevice device, MemorySegment info) {
        int index = info.get(JAVA_INT, 8);
        long size = device.size(index);
        List<Span> sparse = device.sparse(index);
        boolean msix = index < 6 && size > 0 && device.msixMappable(index);
        int needed = 32 + (sparse == null ? 0 : 16 + 16 * sparse.size()) + (msix ? 8 : 0);
        int flags = size == 0 ? 0 : 3;
        if (index < 6 && size > 0 && device.memory(index) != null) {
            flags |= 4;
        }
        boolean caps = needed > 32;
        info.set(JAVA_INT, 4, flags | (caps ? 8 : 0));
        info.set(JAVA_INT, 12, 0);
        info.set(JAVA_LONG, 16, size);
        info.set(JAVA_LONG, 24, (long) index << REGION_SHIFT);
        if (info.get(JAVA_INT, 0) < needed) {
            info.set(JAVA_INT, 0, needed);
            return 0;
        }
        if (!caps) {
            return 0;
        }
        info.set(JAVA_INT, 12, 32);
        int at = 32;
        if (msix) {
            info.set(JAVA_SHORT_UNALIGNED, at, (short) 3);
            info.set(JAVA_INT_UNALIGNED, at + 4, sparse == null ? 0 : at + 8);
            at += 8;
        }
        if (sparse != null) {
            info.set(JAVA_SHORT_UNALIGNED, at, (short) 1);
            info.set(JAVA_INT_UNALIGNED, at + 4, 0);
            info.set(JAVA_INT_UNALIGNED, at + 8, sparse.size());
            for (int i = 0; i < sparse.size(); i++) {
                Span area = sparse.get(i);
                info.set(JAVA_LONG_UNALIGNED, at + 16 + 16L * i, area.start());
                info.set(JAVA_LONG_UNALIGNED, at + 24 + 16L * i, area.last() - area.start() + 1);
            }
        }
        return 0;
    }
}
