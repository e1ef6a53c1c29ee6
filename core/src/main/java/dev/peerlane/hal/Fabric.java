package dev.peerlane.hal;

import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/**
 * PCI functions that share one DMA domain, so that each can reach the others' BARs; between two
 * fabrics only host memory carries data. One thread owns a fabric and everything opened from it.
 */
public abstract class Fabric implements AutoCloseable {
    /** Creates a fabric; called by subclasses. */
    protected Fabric() {}

    /** Returns the kind: {@code emulator}, {@code qemu}, {@code vfio}. */
    public abstract String kind();

    /** Returns the locators of the NVMe functions in it, in bus order. */
    public abstract List<String> locators();

    /**
     * Opens a function.
     *
     * @param locator one of {@link #locators()}
     * @throws dev.peerlane.PeerlaneException if there is none of that name, or it is open already
     */
    public abstract PciDevice open(String locator);

    /** Returns the address space in which all functions of this fabric do DMA. */
    public abstract DmaDomain dma();

    /** Returns its time and its waiting place. */
    public abstract Clock clock();

    /** Returns a snapshot of the PCI tree, from which routes are judged. */
    public abstract Machine machine();

    /** Returns what the functions moved so far, where the fabric can count it. */
    public abstract Optional<TrafficCounters> traffic();

    /**
     * Returns the first requests of its functions that did not get through so far, as the fault
     * records of an IOMMU keep them; none where the fabric can't tell.
     */
    public List<DmaFault> faults() {
        return List.of();
    }

    /** Returns what is true of it beside its functions. */
    public FabricTraits traits() {
        return FabricTraits.LENT;
    }

    /** Closes what is still open, then the fabric. Closing again has no effect. */
    @Override
    public abstract void close();
}
