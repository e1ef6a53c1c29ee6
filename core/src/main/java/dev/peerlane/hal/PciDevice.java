package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;

/**
 * One PCI function that this process owns. It can be open only once at a time. Closing it turns bus
 * mastering off, which stops its DMA, and releases it. Used by the thread that owns the fabric.
 */
public abstract class PciDevice implements AutoCloseable {
    /** Creates a device; called by subclasses. */
    protected PciDevice() {}

    /** Returns the address of the function: domain, bus, device, function. */
    public abstract Bdf bdf();

    /** Returns the user's name for the function, such as {@code emu:ssd0}. */
    public abstract String locator();

    /** Returns the live configuration space of the function. */
    public abstract ConfigSpace config();

    /**
     * Returns a BAR.
     *
     * @throws dev.peerlane.PeerlaneException if the function has no memory BAR with that index
     */
    public abstract Bar bar(int index);

    /**
     * Sets whether the function may do DMA (Command register, bit 2). Memory decoding stays on.
     * While DMA is on, the function raises no INTx (bit 10); see {@link ConfigSpace#withBusMaster}.
     */
    public abstract void busMaster(boolean enabled);

    /**
     * Resets the function and restores its configuration. Uses Function Level Reset if available.
     *
     * @throws dev.peerlane.PeerlaneException if the function has no reset or did not come back
     */
    public abstract void reset();

    /** Stops the device's DMA and closes the device. Closing again has no effect. */
    @Override
    public abstract void close();
}
