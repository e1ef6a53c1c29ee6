package dev.peerlane.sim;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A domain that keeps its own list of what was allocated and mapped for DMA: what devices reach is
 * on it, and in the end it is empty. The device's own CMB counts too, since it is used at the
 * address that was mapped.
 */
final class MappingLedger extends DmaDomain {
    private final DmaDomain domain;
    private final Consumer<String> violation;
    private final TreeMap<Long, Long> live = new TreeMap<>();

    MappingLedger(DmaDomain domain, Consumer<String> violation) {
        this.domain = domain;
        this.violation = violation;
    }

    @Override
    public int pageBytes() {
        return domain.pageBytes();
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        DmaBuffer buffer = domain.allocate(sizeBytes);
        live.put(buffer.busAddress(), buffer.sizeBytes());
        return new DmaBuffer() {
            @Override
            public MemorySegment segment() {
                return buffer.segment();
            }

            @Override
            public long address() {
                return buffer.address();
            }

            @Override
            public long busAddress() {
                return buffer.busAddress();
            }

            @Override
            public void close() {
                live.remove(buffer.busAddress());
                buffer.close();
            }
        };
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        PeerMapping mapping = domain.mapPeer(owner, bar, offset, sizeBytes);
        live.put(mapping.busAddress(), mapping.sizeBytes());
        return new PeerMapping() {
            @Override
            public long busAddress() {
                return mapping.busAddress();
            }

            @Override
            public long sizeBytes() {
                return mapping.sizeBytes();
            }

            @Override
            public void close() {
                live.remove(mapping.busAddress());
                mapping.close();
            }
        };
    }

    /** A device has reached memory. */
    void moved(Bdf device, long address, long bytes, boolean read) {
        Map.Entry<Long, Long> below = live.floorEntry(address);
        if (below == null || address + bytes > below.getKey() + below.getValue()) {
            violation.accept(
                    "%s %s %d bytes at 0x%x, which nothing maps"
                            .formatted(device, read ? "reads" : "writes", bytes, address));
        }
    }

    /** Everything must have been given back. */
    void checkEmpty() {
        live.forEach((at, bytes) ->
                violation.accept("%d bytes at 0x%x are mapped still".formatted(bytes, at)));
        live.clear();
    }
}
