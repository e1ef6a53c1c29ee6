package dev.peerlane.copy.engine;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.planning.Geometry;

/**
 * A fence that reads back: after the completion of a Read the host loads a word from every page of
 * the bus that the slot touches. A load does not pass posted writes on its route (PCIe 5.0, 2.4.1).
 * The switch that forwarded the completion had queued the data at the port of the memory before, so
 * the load comes after the data. That holds only on a direct route across a switch: through a root
 * complex, data and load take two routes.
 *
 * <p>Every page is loaded, because a controller may let loads bypass buffered writes to other
 * addresses (CMBEBS.CMBRBB; NVMe Base 2.0, 3.1.3.19).
 */
final class ReadbackFence extends Fence {
    private final PeerBuffer buffer;
    private final int chunkBytes;
    private final long address;
    private final int[] bytesOf;
    private final IntQueue arrived;
    private long loaded;

    ReadbackFence(PeerBuffer buffer, Geometry geometry) {
        this.buffer = buffer;
        chunkBytes = geometry.chunkBytes();
        address = buffer.busAddress();
        bytesOf = new int[geometry.slots()];
        arrived = new IntQueue(geometry.slots());
    }

    @Override
    void reading(int slot, int bytes) {
        bytesOf[slot] = bytes;
    }

    @Override
    void arrived(int slot, long lba) {
        arrived.add(slot);
    }

    @Override
    boolean step(long now, IntQueue ready) {
        boolean moved = !arrived.isEmpty();
        while (!arrived.isEmpty()) {
            int slot = arrived.remove();
            long start = (long) slot * chunkBytes;
            int bytes = bytesOf[slot];
            int pages = BusPages.count(address + start, bytes);
            for (int page = 0; page < pages; page++) {
                int end = BusPages.end(address + start, bytes, page);
                // the value does not matter, only that it has come back
                loaded ^= buffer.load64(start + end - Long.BYTES);
            }
            ready.add(slot);
        }
        return moved;
    }

    @Override
    boolean idle() {
        return arrived.isEmpty();
    }

    @Override
    void completed(int slot, int status) {
        throw new IllegalStateException("slot " + slot + " belongs to no fence");
    }

    @Override
    boolean quarantined() {
        return false;
    }

    @Override
    String label() {
        return FenceChoice.READBACK.label();
    }

    @Override
    public String toString() {
        return label() + " " + Long.toHexString(loaded);
    }
}
