package dev.peerlane.sim;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A DMA domain that records what was allocated and mapped. It checks that devices access only
 * memory on the record to which they were admitted, and that the record is empty in the end. A
 * device's own CMB is included, because it is used at the mapped address.
 */
final class MappingLedger extends DmaDomain {
    private final DmaDomain domain;
    private final Consumer<String> violation;
    private final NavigableMap<Long, Live> live;
    private final @Nullable Bdf only;

    /** A range, and the devices that may use it. */
    private record Live(long bytes, Set<Bdf> devices) {}

    MappingLedger(DmaDomain domain, Consumer<String> violation) {
        this(domain, violation, new TreeMap<>(), null);
    }

    private MappingLedger(
            DmaDomain domain,
            Consumer<String> violation,
            NavigableMap<Long, Live> live,
            @Nullable Bdf only) {
        this.domain = domain;
        this.violation = violation;
        this.live = live;
        this.only = only;
    }

    @Override
    public int pageBytes() {
        return domain.pageBytes();
    }

    @Override
    public DmaDomain forDevice(PciDevice device) {
        return new MappingLedger(domain.forDevice(device), violation, live, device.bdf());
    }

    private Set<Bdf> enter(long busAddress, long bytes, @Nullable Bdf device) {
        Set<Bdf> devices = new HashSet<>();
        if (device != null) {
            devices.add(device);
        }
        live.put(busAddress, new Live(bytes, devices));
        return devices;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        DmaBuffer buffer = domain.allocate(sizeBytes);
        Set<Bdf> devices = enter(buffer.busAddress(), buffer.sizeBytes(), only);
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
            public void admit(Bdf device) {
                buffer.admit(device);
                devices.add(device);
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
        Set<Bdf> devices = enter(mapping.busAddress(), mapping.sizeBytes(), owner.bdf());
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
            public void admit(Bdf device) {
                mapping.admit(device);
                devices.add(device);
            }

            @Override
            public void close() {
                live.remove(mapping.busAddress());
                mapping.close();
            }
        };
    }

    /** Checks an access of a device to memory. */
    void moved(Bdf device, long address, long bytes, boolean read) {
        Map.Entry<Long, Live> below = live.floorEntry(address);
        Live range =
                below == null || address + bytes > below.getKey() + below.getValue().bytes
                        ? null
                        : below.getValue();
        if (range == null || !range.devices.contains(device)) {
            violation.accept(
                    "%s %s %d bytes at 0x%x, which %s"
                            .formatted(
                                    device,
                                    read ? "reads" : "writes",
                                    bytes,
                                    address,
                                    range == null ? "nothing maps" : "it was not admitted to"));
        }
    }

    /** Checks that everything was released. */
    void checkEmpty() {
        live.forEach((at, range) ->
                violation.accept("%d bytes at 0x%x are mapped still".formatted(range.bytes, at)));
        live.clear();
    }
}
