package dev.peerlane.qtest;

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
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * DMA in the guest's physical address space. Buffers are pages of the RAM file, and peers' BARs are
 * accessed where they are decoded. With an IOMMU, both are mapped at their own addresses, and
 * nothing else is mapped.
 */
final class QtestDma extends DmaDomain {
    /** A function whose BARs can be mapped for peers. */
    interface Function {
        /**
         * Returns whether a BAR is memory of this function, in this domain, that the function
         * decodes.
         */
        boolean decodes(DmaDomain domain, Bar bar);
    }

    private final OwnerThread thread = new OwnerThread();
    private final RamFile ram;
    private final @Nullable IntelIommu iommu;
    private final TreeMap<Long, Long> peerRanges = new TreeMap<>();
    private boolean closed;

    QtestDma(RamFile ram, @Nullable IntelIommu iommu) {
        this.ram = ram;
        this.iommu = iommu;
    }

    @Override
    public int pageBytes() {
        return RamFile.PAGE_BYTES;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        checkOpen();
        if (sizeBytes <= 0 || sizeBytes > Long.MAX_VALUE - RamFile.PAGE_BYTES) {
            throw new IllegalArgumentException("invalid size of a DMA buffer: " + sizeBytes);
        }
        long bytes = Bits.roundUp(sizeBytes, RamFile.PAGE_BYTES);
        long physical = ram.take(bytes);
        try {
            map(physical, bytes);
        } catch (RuntimeException e) {
            ram.give(physical, bytes);
            throw e;
        }
        return new Buffer(physical, ram.slice(physical, bytes));
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        checkOpen();
        OwnedMapping.checkRange(this, bar, offset, sizeBytes);
        if (!(owner instanceof Function device) || !device.decodes(this, bar)) {
            throw PeerlaneException.machine(
                    "peer-not-mappable",
                    "BAR%d of %s does not belong to an open device of this QEMU"
                            .formatted(bar.index(), owner.locator()),
                    "Map BARs of devices that were opened from the same fabric");
        }
        long address = bar.pciAddress() + offset;
        Long below = peerRanges.lowerKey(address + sizeBytes);
        if (below != null && below + Objects.requireNonNull(peerRanges.get(below)) > address) {
            throw PeerlaneException.machine(
                    "peer-mapped-already",
                    "0x%x and %d bytes of %s overlap what is mapped already"
                            .formatted(address, sizeBytes, owner.locator()),
                    "Close the other mapping first");
        }
        map(address, sizeBytes);
        peerRanges.put(address, sizeBytes);
        return new Peer(address, sizeBytes);
    }

    /** Closes the domain. Buffers that are still open can be closed later without effect. */
    void close() {
        closed = true;
    }

    private void map(long address, long bytes) {
        if (iommu != null) {
            iommu.map(address, bytes);
        }
    }

    private void unmap(long address, long bytes) {
        if (iommu != null) {
            iommu.unmap(address, bytes);
        }
    }

    private void checkThread() {
        thread.check("QEMU's memory for DMA");
    }

    private void checkOpen() {
        checkThread();
        if (closed) {
            throw new IllegalStateException("the fabric of this DMA domain is closed");
        }
    }

    private final class Buffer extends OwnedBuffer {
        Buffer(long physical, MemorySegment segment) {
            super(QtestDma.this::checkThread, segment, physical);
        }

        @Override
        protected void giveBack() {
            if (!closed) {
                // Unmap first: pages that a device may still access must not be allocated again.
                QtestDma.this.unmap(busAddress(), sizeBytes());
                ram.give(busAddress(), sizeBytes());
            }
        }
    }

    private final class Peer extends OwnedMapping {
        Peer(long address, long bytes) {
            super(QtestDma.this::checkThread, address, bytes);
        }

        @Override
        protected void unmap() {
            if (!closed) {
                QtestDma.this.unmap(busAddress(), sizeBytes());
                peerRanges.remove(busAddress());
            }
        }
    }
}
