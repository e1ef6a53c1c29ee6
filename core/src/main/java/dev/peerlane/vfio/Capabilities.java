package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.vfio.VfioAbi.Capability;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks the chain of capabilities that follows a VFIO information structure. The walk is bounded,
 * whatever the kernel returns.
 */
final class Capabilities {
    private static final int MAX = 64;

    private Capabilities() {}

    /**
     * Returns the capability with an ID, from its header to the end of the structure, or null if
     * there is none.
     *
     * @param info the structure, followed by its capabilities
     * @param first offset of the first capability, 0 for none
     */
    static @Nullable MemorySegment find(MemorySegment info, int first, int id) {
        long at = Integer.toUnsignedLong(first);
        for (int i = 0; i < MAX && at != 0 && at + Capability.BYTES <= info.byteSize(); i++) {
            MemorySegment header = info.asSlice(at);
            if ((header.get(JAVA_SHORT_UNALIGNED, Capability.ID) & 0xffff) == id) {
                return header;
            }
            at = Integer.toUnsignedLong(header.get(JAVA_INT_UNALIGNED, Capability.NEXT));
        }
        return null;
    }

    /**
     * Returns the pairs of 8-byte values in a capability: as many as its count says, but no more
     * than fit.
     */
    static List<long[]> pairs(MemorySegment capability, int countAt, int pairsAt) {
        List<long[]> pairs = new ArrayList<>();
        if (capability.byteSize() < pairsAt) {
            return pairs;
        }
        long count = Integer.toUnsignedLong(capability.get(JAVA_INT_UNALIGNED, countAt));
        for (long at = pairsAt;
                pairs.size() < count && at + 16 <= capability.byteSize();
                at += 16) {
            pairs.add(
                    new long[] {
                        capability.get(JAVA_LONG_UNALIGNED, at),
                        capability.get(JAVA_LONG_UNALIGNED, at + 8)
                    });
        }
        return pairs;
    }
}
