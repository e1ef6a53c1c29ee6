package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A server's description of a region. It owns the region's descriptor, if there is one.
 *
 * @param index the region's index
 * @param sizeBytes its length in bytes
 * @param fileOffset its start in the descriptor's file
 * @param areas the parts that can be mapped
 * @param fd the descriptor, or -1
 */
record UserRegion(int index, long sizeBytes, long fileOffset, List<Area> areas, int fd) {
    private static final int ASKED_BYTES = 1024;
    private static final int MOST_BYTES = Protocol.MAX_MESSAGE_BYTES - Protocol.HEADER_BYTES;

    /**
     * A part that can be mapped. Its offset in the region and its length are multiples of the page
     * size.
     */
    record Area(long offset, long bytes) {
        boolean holds(long at, long length) {
            return at >= offset && at - offset <= bytes - length;
        }
    }

    /**
     * Reads a region's description. Asks a second time if the whole description is longer than the
     * first reply.
     */
    static UserRegion ask(ServerLink link, String locator, int index) {
        MemorySegment answer = ask(link, index, ASKED_BYTES);
        long needed = Integer.toUnsignedLong(answer.get(JAVA_INT_UNALIGNED, 0));
        if (needed > MOST_BYTES) {
            throw Protocol.violation(
                    locator, "its description of region %d has %d bytes".formatted(index, needed));
        }
        if (needed > ASKED_BYTES) {
            answer = ask(link, index, (int) needed);
        }
        int[] passed = link.takeDescriptors();
        boolean done = false;
        try {
            int flags = answer.get(JAVA_INT_UNALIGNED, 4);
            long size = answer.get(JAVA_LONG_UNALIGNED, 16);
            long offset = answer.get(JAVA_LONG_UNALIGNED, 24);
            if (size < 0 || offset < 0 || offset > Long.MAX_VALUE - size || passed.length > 1) {
                throw Protocol.violation(
                        locator,
                        "region %d has %d bytes at %d and %d descriptors"
                                .formatted(index, size, offset, passed.length));
            }
            boolean mappable = (flags & Protocol.REGION_MMAP) != 0 && passed.length == 1;
            List<Area> areas = mappable ? areas(answer, flags, size, locator, index) : List.of();
            done = mappable;
            return new UserRegion(index, size, offset, areas, mappable ? passed[0] : -1);
        } finally {
            if (!done) {
                for (int fd : passed) {
                    KernelCalls.instance().close(fd);
                }
            }
        }
    }

    private static MemorySegment ask(ServerLink link, int index, int room) {
        MemorySegment body = link.outgoing();
        body.asSlice(0, Protocol.REGION_INFO_BYTES).fill((byte) 0);
        body.set(JAVA_INT_UNALIGNED, 0, room);
        body.set(JAVA_INT_UNALIGNED, 8, index);
        return link.call(
                Protocol.DEVICE_GET_REGION_INFO,
                Protocol.REGION_INFO_BYTES,
                Protocol.REGION_INFO_BYTES);
    }

    private static List<Area> areas(
            MemorySegment info, int flags, long size, String locator, int index) {
        if ((flags & Protocol.REGION_CAPS) == 0) {
            return size % Protocol.PAGE_BYTES == 0 ? List.of(new Area(0, size)) : List.of();
        }
        List<Area> areas = new ArrayList<>();
        long at = Integer.toUnsignedLong(info.get(JAVA_INT_UNALIGNED, 12));
        long before = Protocol.REGION_INFO_BYTES - 1;
        while (at != 0) {
            if (at <= before || at > info.byteSize() - 16) { // forward only, so the walk ends
                throw outside(locator, index);
            }
            if (info.get(JAVA_SHORT_UNALIGNED, at) == Protocol.CAP_SPARSE_MMAP) {
                long count = Integer.toUnsignedLong(info.get(JAVA_INT_UNALIGNED, at + 8));
                if (count > (info.byteSize() - at - 16) / 16) {
                    throw outside(locator, index);
                }
                for (long a = at + 16; a < at + 16 + 16 * count; a += 16) {
                    areas.add(
                            area(
                                    info.get(JAVA_LONG_UNALIGNED, a),
                                    info.get(JAVA_LONG_UNALIGNED, a + 8),
                                    size,
                                    locator,
                                    index));
                }
            }
            before = at;
            at = Integer.toUnsignedLong(info.get(JAVA_INT_UNALIGNED, at + 4));
        }
        return List.copyOf(areas);
    }

    private static Area area(long offset, long bytes, long size, String locator, int index) {
        boolean pages = ((offset | bytes) & (Protocol.PAGE_BYTES - 1)) == 0;
        if (!pages || offset < 0 || bytes <= 0 || offset > size - bytes) {
            throw Protocol.violation(
                    locator,
                    "region %d of %d bytes can be mapped at %d, %d bytes"
                            .formatted(index, size, offset, bytes));
        }
        return new Area(offset, bytes);
    }

    private static PeerlaneException outside(String locator, int index) {
        return Protocol.violation(
                locator, "a capability of region %d is outside the message".formatted(index));
    }

    /** Returns whether the server can truncate the file while it is mapped here. */
    boolean canShrink() {
        return fd >= 0 && !MemoryFile.isFixed(fd);
    }

    /**
     * Returns whether the server has truncated the file, so that accesses to the mapping end in
     * SIGBUS.
     */
    boolean isShortened() {
        long length = MemoryFile.sizeBytes(fd);
        for (Area area : areas) {
            if (length < fileOffset + area.offset() + area.bytes()) {
                return true;
            }
        }
        return false;
    }

    void close() {
        if (fd >= 0) {
            KernelCalls.instance().close(fd);
        }
    }
}
