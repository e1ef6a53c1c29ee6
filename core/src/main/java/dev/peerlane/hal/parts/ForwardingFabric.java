package dev.peerlane.hal.parts;

import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/**
 * A fabric that forwards every call to another one. Subclasses override what differs: they watch
 * mappings, replace the clock, or know more about the root complex. Owner thread and errors are
 * those of the other fabric.
 */
public abstract class ForwardingFabric extends Fabric {
    private final Fabric fabric;

    /** Creates a fabric over {@code fabric}. Closing the new fabric closes {@code fabric}. */
    protected ForwardingFabric(Fabric fabric) {
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
    public Optional<TrafficCounters> traffic() {
        return fabric.traffic();
    }

    @Override
    public List<DmaFault> faults() {
        return fabric.faults();
    }

    @Override
    public FabricTraits traits() {
        return fabric.traits();
    }

    @Override
    public void close() {
        fabric.close();
    }
}
