package dev.peerlane.hal;

import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/**
 * PCI functions that share one DMA domain, so that each can access the others' BARs. Between two
 * fabrics, only host memory carries data. One thread owns a fabric and everything opened from it.
 */
public abstract class Fabric implements AutoCloseable {
    /** Creates a fabric; called by subclasses. */
    protected Fabric() {}

    /** Returns the kind of the fabric: {@code emulator}, {@code qemu}, {@code vfio}. */
    public abstract String kind();

    /** Returns the locators of the fabric's NVMe functions, in bus order. */
    public abstract List<String> locators();

    /**
     * Opens a function.
     *
     * @param locator one of {@link #locators()}
     * @throws dev.peerlane.PeerlaneException if no function has that locator, or it is already open
     */
    public abstract PciDevice open(String locator);

    /** Returns the address space in which all functions of this fabric do DMA. */
    public abstract DmaDomain dma();

    /** Returns the clock of the fabric, with which every wait is made. */
    public abstract Clock clock();

    /** Returns a snapshot of the PCI tree, from which verdicts on routes are derived. */
    public abstract Machine machine();

    /** Returns how many bytes the functions have moved so far, if the fabric can count them. */
    public abstract Optional<TrafficCounters> traffic();

    /**
     * Returns the first blocked DMA requests of the fabric's functions, like the fault records of
     * an IOMMU. Empty if the fabric can't tell.
     */
    public List<DmaFault> faults() {
        return List.of();
    }

    /** Returns the properties of the fabric as a whole. */
    public FabricTraits traits() {
        return FabricTraits.LENT;
    }

    /** Closes what is still open, then the fabric. Closing again has no effect. */
    @Override
    public abstract void close();
}
