package dev.peerlane.lab.guest;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.ForwardingFabric;

/**
 * A fabric that claims to have mapped a peer's BAR but has not, like a platform that drops traffic.
 */
final class MappingForgotten extends ForwardingFabric {
    private final DmaDomain domain;

    MappingForgotten(Fabric fabric) {
        super(fabric);
        DmaDomain real = fabric.dma();
        domain =
                new DmaDomain() {
                    @Override
                    public int pageBytes() {
                        return real.pageBytes();
                    }

                    @Override
                    public DmaBuffer allocate(long sizeBytes) {
                        return real.allocate(sizeBytes);
                    }

                    @Override
                    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long bytes) {
                        PeerMapping mapping = real.mapPeer(owner, bar, offset, bytes);
                        long busAddress = mapping.busAddress();
                        mapping.close();
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
    }

    @Override
    public DmaDomain dma() {
        return domain;
    }
}
