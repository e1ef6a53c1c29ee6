package dev.peerlane.lab.guest;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/** A fabric that says that it mapped a peer's BAR, and did not: a platform that drops traffic. */
final class MappingForgotten extends Fabric {
    private final Fabric fabric;

    MappingForgotten(Fabric fabric) {
        this.fabric = fabric;
    }

    private final DmaDomain domain =
            new DmaDomain() {
                @Override
                public int pageBytes() {
                    return fabric.dma().pageBytes();
                }

                @Override
                public DmaBuffer allocate(long sizeBytes) {
                    return fabric.dma().allocate(sizeBytes);
                }

                @Override
                public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long bytes) {
                    PeerMapping real = fabric.dma().mapPeer(owner, bar, offset, bytes);
                    long busAddress = real.busAddress();
                    real.close();
                    return new PeerMapping() {
                        @Override
                        public long busAddress() {
                            return busAddress;
                        }

                        @Override
                        public long sizeBytes() {
                            return bytes;
                        }

                        @Override
                        public void close() {}
                    };
                }
            };

    @Override
    public DmaDomain dma() {
        return domain;
    }

    @Override
    public String kind() {
        return fabric.kind();
    }

    @Override
    public List<String> locators() {
        return fabric.locators();
    }

    @Override
    public PciDevice open(String locator) {
        return fabric.open(locator);
    }

    @Override
    public Clock clock() {
        return fabric.clock();
    }

    @Override
    public Machine machine() {
        return fabric.machine();
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return fabric.traffic();
    }

    @Override
    public void close() {
        fabric.close();
    }
}
