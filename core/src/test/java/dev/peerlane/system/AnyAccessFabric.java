package dev.peerlane.system;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;

/**
 * A fabric that has something happen right before the k-th access to its devices: a load or store
 * of a register, of configuration space, or a load of a CMB.
 */
final class AnyAccessFabric extends KeptFabric {
    private final Fabric fabric;
    private final int at;
    private final Runnable event;
    private int accesses;

    /** Whether configuration space reads as ones, as that of a drive that was pulled out. */
    boolean noConfig;

    /** A word of every page of a CMB that keeps what the processor stored, or -1. */
    int lostByPeers = -1;

    AnyAccessFabric(Fabric fabric, int at, Runnable event) {
        super(fabric);
        this.fabric = fabric;
        this.at = at;
        this.event = event;
    }

    boolean happened() {
        return accesses >= at;
    }

    private void access() {
        if (++accesses == at) {
            event.run();
        }
    }

    @Override
    public PciDevice open(String locator) {
        return new Device(fabric.open(locator));
    }

    @Override
    public DmaDomain dma() {
        DmaDomain dma = fabric.dma();
        return new DmaDomain() {
            @Override
            public int pageBytes() {
                return dma.pageBytes();
            }

            @Override
            public DmaBuffer allocate(long sizeBytes) {
                return dma.allocate(sizeBytes);
            }

            @Override
            public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
                PciDevice device = ((Device) owner).device;
                return dma.mapPeer(device, device.bar(bar.index()), offset, sizeBytes);
            }
        };
    }

    private final class Device extends PciDevice {
        private final PciDevice device;

        Device(PciDevice device) {
            this.device = device;
        }

        @Override
        public Bdf bdf() {
            return device.bdf();
        }

        @Override
        public String locator() {
            return device.locator();
        }

        @Override
        public ConfigSpace config() {
            ConfigSpace config = device.config();
            return new ConfigSpace() {
                @Override
                public int load32(int offset) {
                    access();
                    return noConfig ? -1 : config.load32(offset);
                }

                @Override
                public void store32(int offset, int value) {
                    access();
                    if (!noConfig) {
                        config.store32(offset, value);
                    }
                }

                @Override
                public void store16(int offset, int value) {
                    access();
                    if (!noConfig) {
                        config.store16(offset, value);
                    }
                }
            };
        }

        @Override
        public Bar bar(int index) {
            return new Window(device.bar(index));
        }

        @Override
        public void busMaster(boolean enabled) {
            access();
            device.busMaster(enabled);
        }

        @Override
        public void reset() {
            access();
            device.reset();
        }

        @Override
        public void close() {
            device.close();
        }
    }

    private final class Window extends Bar {
        private final Bar bar;
        private long kept;

        Window(Bar bar) {
            this.bar = bar;
        }

        @Override
        public int index() {
            return bar.index();
        }

        @Override
        public long sizeBytes() {
            return bar.sizeBytes();
        }

        @Override
        public long pciAddress() {
            return bar.pciAddress();
        }

        @Override
        public int load32(long offset) {
            access();
            return bar.load32(offset);
        }

        @Override
        public void store32(long offset, int value) {
            access();
            bar.store32(offset, value);
        }

        @Override
        public long load64(long offset) {
            access();
            return offset % 4096 == lostByPeers ? kept : bar.load64(offset);
        }

        @Override
        public void store64(long offset, long value) {
            kept = offset % 4096 == lostByPeers ? value : kept;
            bar.store64(offset, value); // bytes of a CMB: each is like the one before
        }

        @Override
        public Doorbell doorbell(long offset) {
            Doorbell doorbell = bar.doorbell(offset);
            return new Doorbell() {
                @Override
                public void ring(int value) {
                    access();
                    doorbell.ring(value);
                }
            };
        }
    }
}
