package dev.peerlane.sim;

import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/** A fabric whose mappings go through a ledger. */
final class WatchedFabric extends Fabric {
    private final Fabric fabric;
    private final DmaDomain domain;

    WatchedFabric(Fabric fabric, DmaDomain domain) {
        this.fabric = fabric;
        this.domain = domain;
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
        return domain;
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
    public List<DmaFault> faults() {
        return fabric.faults();
    }

    @Override
    public void close() {
        fabric.close();
    }
}
