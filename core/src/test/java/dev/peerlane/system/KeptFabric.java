package dev.peerlane.system;

import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/** A fabric that is there still when a session has closed it; subclasses change what it says. */
class KeptFabric extends Fabric {
    private final Fabric fabric;

    KeptFabric(Fabric fabric) {
        this.fabric = fabric;
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
    public DmaDomain dma() {
        return fabric.dma();
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
    public List<DmaFault> faults() {
        return fabric.faults();
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return fabric.traffic();
    }

    @Override
    public void close() {
        // whoever made it closes it
    }
}
