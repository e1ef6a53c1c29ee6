package dev.peerlane.spec.wire;

import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A Namespace List, 4096 bytes: up to 1024 NSIDs in ascending order, with 0 after the last (NVMe
 * Base 2.0, 4.3). Identify with {@link Cns#ACTIVE_NAMESPACES} and log page {@link
 * LogPage#CHANGED_NAMESPACES} return it. The order is not checked here.
 */
public final class NamespaceList {
    /** Length of a list in bytes. */
    public static final int BYTES = 4096;

    /**
     * Maximum number of NSIDs in a list. After a full list, issue another Identify that starts at
     * the last NSID.
     */
    public static final int MAX_NSIDS = BYTES / Integer.BYTES;

    private final MemorySegment page;

    /**
     * Wraps a list.
     *
     * @throws IllegalArgumentException if the page is too short
     */
    public NamespaceList(MemorySegment page) {
        this.page = Wire.requireBytes(page, BYTES, "a Namespace List");
    }

    /** Returns the number of NSIDs before the first 0. */
    public int count() {
        int count = 0;
        while (count < MAX_NSIDS && nsid(count) != 0) {
            count++;
        }
        return count;
    }

    /** Returns the NSID at {@code index}, unsigned; 0 after the end. */
    public int nsid(int index) {
        return page.get(Wire.U32, (long) index * Integer.BYTES);
    }

    /** Returns the NSIDs before the first 0. */
    public int[] toArray() {
        int[] nsids = new int[count()];
        Arrays.setAll(nsids, this::nsid);
        return nsids;
    }

    /**
     * Writes a whole list.
     *
     * @param nsids NSIDs in ascending order, at most {@link #MAX_NSIDS}
     */
    public static void write(MemorySegment page, int... nsids) {
        if (nsids.length > MAX_NSIDS) {
            throw new IllegalArgumentException(nsids.length + " NSIDs do not fit a list of 1024");
        }
        MemorySegment list = Wire.requireBytes(page, BYTES, "a Namespace List").asSlice(0, BYTES);
        list.fill((byte) 0);
        for (int i = 0; i < nsids.length; i++) {
            list.set(Wire.U32, (long) i * Integer.BYTES, nsids[i]);
        }
    }
}
