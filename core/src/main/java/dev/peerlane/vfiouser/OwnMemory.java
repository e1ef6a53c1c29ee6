package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.OwnedBuffer;
import dev.peerlane.hal.parts.PageRuns;
import dev.peerlane.pci.Bdf;
import java.util.ArrayList;
import java.util.List;

/**
 * DMA memory that is shared with the server of one device only. It grows in chunks, since servers
 * accept few mappings.
 */
final class OwnMemory extends DmaDomain {
    private static final int PAGE = Protocol.PAGE_BYTES;
    private static final long CHUNK_BYTES = 64L << 20;

    /** A chunk with the record of its allocated pages. */
    private record Pages(Chunk chunk, PageRuns runs) {
        /**
         * Clears and frees pages, so that neither the next owner nor the server can read their
         * content.
         */
        void free(long offset, long bytes) {
            runs.give(offset, bytes);
            chunk.clear(offset, bytes);
        }
    }

    /** What this memory calls in the domain of all devices. */
    interface Host {
        /** Throws unless the owner's thread calls. */
        void checkThread();

        /** Returns new memory to which no server is admitted. */
        Chunk chunk(long sizeBytes);

        /** Returns the fabric's function with a PCI address. */
        UserFunction function(Bdf device);
    }

    private final Host host;
    private final DmaDomain shared;
    private final UserFunction function;
    private final List<Pages> chunks = new ArrayList<>();

    OwnMemory(Host host, DmaDomain shared, UserFunction function) {
        this.host = host;
        this.shared = shared;
        this.function = function;
    }

    @Override
    public int pageBytes() {
        return PAGE;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        host.checkThread();
        long bytes = BusAddresses.pages(sizeBytes);
        for (Pages pages : chunks) {
            long offset = pages.runs.take(bytes);
            if (offset >= 0) {
                return new Buffer(pages, offset, bytes);
            }
        }
        Pages pages = grow(Math.max(bytes, CHUNK_BYTES));
        return new Buffer(pages, pages.runs.take(bytes), bytes);
    }

    private Pages grow(long bytes) {
        Chunk chunk = host.chunk(bytes);
        try {
            chunk.admit(function);
        } catch (RuntimeException e) {
            chunk.close();
            throw e;
        }
        Pages pages = new Pages(chunk, new PageRuns(chunk.segment().byteSize(), PAGE));
        chunks.add(pages);
        return pages;
    }

    @Override
    public DmaDomain forDevice(PciDevice device) {
        return shared.forDevice(device);
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        return shared.mapPeer(owner, bar, offset, sizeBytes);
    }

    /** A buffer of contiguous pages in a chunk. */
    private final class Buffer extends OwnedBuffer {
        private final Pages pages;
        private final long offset;

        Buffer(Pages pages, long offset, long bytes) {
            super(
                    host::checkThread,
                    pages.chunk.segment().asSlice(offset, bytes),
                    pages.chunk.busAddress() + offset);
            this.pages = pages;
            this.offset = offset;
            segment().fill((byte) 0); // removes a device's late write, and faults the pages in
        }

        @Override
        public void admit(Bdf device) {
            if (!device.equals(function.bdf())) {
                throw PeerlaneException.request(
                        "memory-of-another-device",
                        "memory of %s alone is used for %s"
                                .formatted(function.locator(), host.function(device).locator()),
                        "Allocate what several devices use from the fabric's domain");
            }
        }

        @Override
        protected void giveBack() {
            pages.free(offset, sizeBytes());
        }
    }
}
