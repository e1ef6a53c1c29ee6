package dev.peerlane.lab;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Machine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * A fabric whose large buffers are RAM that the IOMMU does not map, if there is one. Small ones
 * (queues, lists, pages) are mapped as ever.
 */
final class OutsideFabric extends Fabric {
    private static final long LARGE_BYTES = 256 << 10;

    private final Fabric inner;
    private final OutsideDomain domain;

    OutsideFabric(Fabric inner, Path ram, long from) {
        this.inner = inner;
        domain = new OutsideDomain(inner.dma(), ram, from);
    }

    @Override
    public String kind() {
        return inner.kind();
    }

    @Override
    public List<String> locators() {
        return inner.locators();
    }

    @Override
    public PciDevice open(String locator) {
        return inner.open(locator);
    }

    @Override
    public DmaDomain dma() {
        return domain;
    }

    @Override
    public Clock clock() {
        return inner.clock();
    }

    @Override
    public Machine machine() {
        return inner.machine();
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return inner.traffic();
    }

    @Override
    public void close() {
        inner.close();
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
