package dev.peerlane.lab;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.ForwardingFabric;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A fabric whose large buffers are RAM that the IOMMU, if any, does not map. Small buffers (queues,
 * lists, pages) are mapped as usual.
 */
final class OutsideFabric extends ForwardingFabric {
    private static final long LARGE_BYTES = 256 << 10;

    private final OutsideDomain domain;

    OutsideFabric(Fabric inner, Path ram, long from) {
        super(inner);
        domain = new OutsideDomain(inner.dma(), ram, from);
    }

    @Override
    public DmaDomain dma() {
        return domain;
    }

    private static final class OutsideDomain extends DmaDomain {
        private final DmaDomain inner;
        private final Path ram;
        private long next;

        OutsideDomain(DmaDomain inner, Path ram, long from) {
            this.inner = inner;
            this.ram = ram;
            next = from;
        }

        @Override
        public int pageBytes() {
            return inner.pageBytes();
        }

        @Override
        public DmaBuffer allocate(long sizeBytes) {
            if (sizeBytes < LARGE_BYTES) {
                return inner.allocate(sizeBytes);
            }
            long at = next;
            next += sizeBytes;
            return new OutsideBuffer(ram, at, sizeBytes);
        }

        @Override
        public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
            return inner.mapPeer(owner, bar, offset, sizeBytes);
        }
    }

    private static final class OutsideBuffer extends DmaBuffer {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment segment;
        private final long physical;
        private boolean closed;

        OutsideBuffer(Path ram, long physical, long bytes) {
            this.physical = physical;
            try (FileChannel file =
                    FileChannel.open(ram, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                segment = file.map(MapMode.READ_WRITE, physical, bytes, arena);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public long address() {
            return segment.address();
        }

        @Override
        public long busAddress() {
            return physical;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                arena.close();
            }
        }
    }
}
