package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;

/**
 * One PCI function that this process owns. It is open for one owner at a time; closing it turns bus
 * mastering off, which stops its DMA, and gives it back. Used by the thread that owns the fabric.
 */
public abstract class PciDevice implements AutoCloseable {
    /** Creates a device; called by subclasses. */
    protected PciDevice() {}

    /** Returns its address: domain, bus, device, function. */
    public abstract Bdf bdf();

    /** Returns the name by which a user calls it, such as {@code emu:ssd0}. */
    public abstract String locator();

    /** Returns its configuration space, live. */
    public abstract ConfigSpace config();

    /**
     * Returns a BAR.
     *
     * @throws dev.peerlane.PeerlaneException if the function has no memory BAR with that index
     */
    public abstract Bar bar(int index);

    /**
     * Lets the function do DMA (Command register bit 2), or stops it; memory decoding stays on. A
     * function that does DMA raises no INTx (bit 10): {@link ConfigSpace#withBusMaster}.
     */
    public abstract void busMaster(boolean enabled);

    /**
     * Resets the function (Function Level Reset where it has one) and restores its configuration.
     *
     * @throws dev.peerlane.PeerlaneException if it has no reset or did not come back
     */
    public abstract void reset();

    /** Stops the device's DMA and closes the device. Closing again has no effect. */
    @Override
    public abstract void close();
}
