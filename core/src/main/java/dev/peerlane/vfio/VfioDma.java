package dev.peerlane.vfio;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.OwnedBuffer;
import dev.peerlane.hal.parts.OwnedMapping;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.linux.Cleanup;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A DMA domain behind the IOMMU. Host memory is mapped at I/O addresses that no bridge and no BAR
 * decodes, so that a switch which routes by address can't misroute it. Peers' BARs are mapped at
 * their own bus addresses. Small buffers share a mapping.
 */
final class VfioDma extends DmaDomain {
    /** Decides whether a BAR may be mapped at an I/O address other than its bus address. */
    interface Routes {
        /**
         * Returns why it may not, or null if every bridge between the owner and its peers redirects
         * requests to the root.
         */
        @Nullable String obstacle(PciDevice owner);
    }

    /**
     * Addresses of x86 interrupt messages, which are never memory, whatever ranges the IOMMU
     * reports.
     */
    private static final Span INTERRUPTS = new Span(0xfee0_0000L, 0xfeef_ffffL);

    private final OwnerThread thread = new OwnerThread();
    private final IoSpace space;
    private final PinnedMemory memory;
    private final Routes routes;
    private final IovaAllocator addresses;
    private final List<DmaChunk> chunks = new ArrayList<>();
    private final TreeMap<Long, Peer> peers = new TreeMap<>();
    private boolean closed;

    VfioDma(IoSpace space, PinnedMemory memory, List<Span> decoded, Routes routes) {
        this.space = space;
        this.memory = memory;
        this.routes = routes;
        if (space.pageBytes() > PinnedMemory.PAGE_BYTES) {
            throw PeerlaneException.machine(
                    "iommu-page-size",
                    "the smallest page of the IOMMU has %d bytes".formatted(space.pageBytes()),
                    "Only IOMMUs with pages of %d bytes can be used"
                            .formatted(PinnedMemory.PAGE_BYTES));
        }
        List<Span> holes = new ArrayList<>(decoded);
        holes.add(INTERRUPTS);
        addresses = new IovaAllocator(Span.without(space.ranges(), holes));
    }

    @Override
    public int pageBytes() {
        return PinnedMemory.PAGE_BYTES;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        checkOpen();
        if (sizeBytes <= 0 || sizeBytes > Long.MAX_VALUE >> 1) {
            throw new IllegalArgumentException("a DMA buffer can't have " + sizeBytes + " bytes");
        }
        long bytes = Bits.roundUp(sizeBytes, PinnedMemory.PAGE_BYTES);
        for (DmaChunk chunk : chunks) {
            long at = chunk.take(bytes);
            if (at >= 0) {
                return buffer(chunk, at, bytes);
            }
        }
        DmaChunk chunk = newChunk(Math.max(bytes, memory.pieceBytes()));
        return buffer(chunk, chunk.take(bytes), bytes);
    }

    private DmaBuffer buffer(DmaChunk chunk, long at, long bytes) {
        MemorySegment segment = chunk.segment(at, bytes);
        segment.fill((byte) 0);
        return new Buffer(chunk, at, segment);
    }

    private DmaChunk newChunk(long bytes) {
        checkMappings();
        PinnedMemory.Piece piece = memory.take(bytes);
        long iova = -1;
        boolean given = false;
        try {
            iova = space.givenAddress(piece);
            given = iova >= 0;
            if (!given) {
                iova = addresses.take(piece.bytes(), piece.alignBytes());
            }
            if (iova < 0) {
                throw PeerlaneException.machine(
                        "no-io-addresses",
                        "no room for %d bytes among the I/O addresses that %s can translate, %s,"
                                        .formatted(piece.bytes(), space.name(), space.ranges())
                                + " outside what bridges and BARs decode",
                        "Use smaller buffers");
            }
            space.map(piece.address(), iova, piece.bytes());
        } catch (RuntimeException e) {
            Cleanup cleanup = new MemoryCleanup();
            if (iova >= 0 && !given) {
                addresses.give(iova, piece.bytes());
            }
            cleanup.step(() -> memory.give(piece)).finish(e);
            throw e;
        }
        DmaChunk chunk = new DmaChunk(piece, iova, given);
        chunks.add(chunk);
        return chunk;
    }

    private void release(DmaChunk chunk) {
        chunks.remove(chunk);
        chunk.end();
        PinnedMemory.Piece piece = chunk.piece();
        new MemoryCleanup()
                .step(() -> {
                    space.unmap(chunk.iova(), piece.bytes());
                    // only after a successful unmap: an address that may still be mapped must not
                    // be reused
                    addresses.give(chunk.iova(), piece.bytes());
                })
                .step(() -> memory.give(piece))
                .finish();
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        checkOpen();
        OwnedMapping.checkRange(this, bar, offset, sizeBytes);
        if (!(owner instanceof VfioDevice device)
                || !(bar instanceof VfioBar window)
                || !device.decodes(this, window)) {
            throw PeerlaneException.machine(
                    "peer-not-mappable",
                    "BAR%d of %s is not memory of an open device in this fabric"
                            .formatted(bar.index(), owner.locator()),
                    "Map BARs of devices that were opened from the same fabric");
        }
        long address = window.mapped(offset, sizeBytes);
        if (address == -1) {
            throw PeerlaneException.machine(
                    "peer-not-mappable",
                    "BAR%d of %s can't be mapped from 0x%x to 0x%x: the MSI-X table is there, or"
                                    .formatted(
                                            bar.index(),
                                            owner.locator(),
                                            offset,
                                            offset + sizeBytes)
                            + " the kernel maps it only in parts",
                    "Use Linux 4.16 or later, or another device's CMB");
        }
        checkMappings();
        long bus = window.pciAddress() + offset;
        checkFree(bus, sizeBytes, owner);
        Peer peer = new Peer(device, window, offset, sizeBytes, place(device, bus, sizeBytes), bus);
        try {
            map(peer);
        } catch (RuntimeException e) {
            if (peer.iova != bus) {
                addresses.give(peer.iova, sizeBytes);
            }
            throw e;
        }
        peers.put(bus, peer);
        return peer;
    }

    /**
     * Returns the I/O address for a BAR: its bus address, or another one if the IOMMU can't
     * translate that and the routes allow it.
     */
    private long place(VfioDevice owner, long bus, long bytes) {
        long last = bus + bytes - 1;
        if (space.ranges().stream().anyMatch(range -> range.holds(bus, last))) {
            return bus;
        }
        String obstacle = routes.obstacle(owner);
        long top = space.ranges().stream().mapToLong(Span::last).max().orElse(0);
        int width = 64 - Long.numberOfLeadingZeros(top);
        if (obstacle != null) {
            throw PeerlaneException.machine(
                    "bar-beyond-iommu",
                    "the memory of %s lies at 0x%x to 0x%x, which the IOMMU can't translate: it is"
                                    .formatted(owner.locator(), bus, last)
                            + " %d bits wide (%s). %s".formatted(width, space.ranges(), obstacle),
                    "Have the firmware place BARs lower (\"above 4G decoding\", MMIO high base), use"
                            + " a wider IOMMU (aw-bits=48 in QEMU), or another device's CMB");
        }
        long iova = addresses.take(bytes, PinnedMemory.PAGE_BYTES);
        if (iova < 0) {
            throw PeerlaneException.machine(
                    "no-io-addresses",
                    "no room for %d bytes among the I/O addresses %s"
                            .formatted(bytes, space.ranges()),
                    "Use a smaller CMB");
        }
        return iova;
    }

    private void map(Peer peer) {
        String object =
                "BAR%d of %s, 0x%x bytes from 0x%x on"
                        .formatted(peer.bar.index(), peer.owner.locator(), peer.bytes, peer.offset);
        space.mapBar(
                new IoSpace.BarPiece(
                        peer.owner.fd(),
                        object,
                        peer.bar.index(),
                        peer.offset,
                        peer.bar.mapped(peer.offset, peer.bytes),
                        peer.bytes),
                peer.iova);
    }

    private void checkFree(long bus, long bytes, PciDevice owner) {
        Map.Entry<Long, Peer> below = peers.lowerEntry(bus + bytes);
        if (below != null && below.getKey() + below.getValue().bytes > bus) {
            throw PeerlaneException.machine(
                    "peer-mapped-already",
                    "0x%x and %d bytes of %s overlap what is mapped already"
                            .formatted(bus, bytes, owner.locator()),
                    "Close the other mapping first");
        }
        for (DmaChunk chunk : chunks) {
            if (chunk.iova() < bus + bytes && bus < chunk.iova() + chunk.piece().bytes()) {
                throw PeerlaneException.machine(
                        "bar-over-host-memory",
                        "%s moved its memory to 0x%x, where host memory is mapped for DMA"
                                .formatted(owner.locator(), bus),
                        "Open the fabric again");
            }
        }
    }

    private void checkMappings() {
        if (chunks.size() + peers.size() >= space.mappingLimit()) {
            throw PeerlaneException.machine(
                    "too-many-mappings",
                    "%s allows %d mappings, and all are in use"
                            .formatted(space.name(), space.mappingLimit()),
                    "Use fewer and larger buffers, or raise dma_entry_limit of the"
                            + " vfio_iommu_type1 module");
        }
    }

    /** Removes the mappings of a device's BARs before a reset revokes them. */
    void beforeReset(VfioDevice owner) {
        if (space.revokesOnReset()) {
            peersOf(owner).forEach(peer -> space.unmap(peer.iova, peer.bytes));
        }
    }

    /** Restores the mappings that a reset revoked, at the same addresses. */
    void afterReset(VfioDevice owner) {
        if (space.revokesOnReset()) {
            for (Peer peer : peersOf(owner)) {
                try {
                    map(peer);
                } catch (RuntimeException e) {
                    peers.remove(peer.bus);
                    peer.gone();
                    throw e;
                }
            }
        }
    }

    /** Removes the mappings of a device's BARs that are left. */
    void dropPeersOf(VfioDevice owner) {
        Cleanup cleanup = new MemoryCleanup();
        peersOf(owner).forEach(peer -> cleanup.step(peer::close));
        cleanup.finish();
    }

    private List<Peer> peersOf(VfioDevice owner) {
        return peers.values().stream().filter(peer -> peer.owner == owner).toList();
    }

    private void checkThread() {
        thread.check("VFIO's memory for DMA");
    }

    private void checkOpen() {
        checkThread();
        if (closed) {
            throw new IllegalStateException("the fabric of this DMA domain is closed");
        }
    }

    /**
     * Removes all mappings and frees all memory. An access through a buffer that is still open then
     * throws.
     */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        Cleanup cleanup = new MemoryCleanup();
        List.copyOf(peers.values()).forEach(peer -> cleanup.step(peer::close));
        List.copyOf(chunks).forEach(chunk -> cleanup.step(() -> release(chunk)));
        cleanup.finish();
    }

    private final class Buffer extends OwnedBuffer {
        private final DmaChunk chunk;
        private final long offset;

        Buffer(DmaChunk chunk, long offset, MemorySegment segment) {
            super(VfioDma.this::checkThread, segment, chunk.iova() + offset);
            this.chunk = chunk;
            this.offset = offset;
        }

        @Override
        protected void giveBack() {
            if (chunks.contains(chunk)) {
                chunk.give(offset, sizeBytes());
                if (chunk.isEmpty() && chunks.size() > 1) {
                    release(chunk);
                }
            }
        }
    }

    private final class Peer extends OwnedMapping {
        private final VfioDevice owner;
        private final VfioBar bar;
        private final long offset;
        private final long bytes;
        private final long iova;
        private final long bus;

        Peer(VfioDevice owner, VfioBar bar, long offset, long bytes, long iova, long bus) {
            super(VfioDma.this::checkThread, iova, bytes);
            this.owner = owner;
            this.bar = bar;
            this.offset = offset;
            this.bytes = bytes;
            this.iova = iova;
            this.bus = bus;
        }

        void gone() {
            lost();
        }

        @Override
        protected void unmap() {
            peers.remove(bus);
            space.unmap(iova, bytes);
            if (iova != bus) {
                addresses.give(iova, bytes);
            }
        }
    }
}
