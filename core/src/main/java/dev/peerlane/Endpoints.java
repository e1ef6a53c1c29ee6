package dev.peerlane;

import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/**
 * What a provider has opened: devices between which data can be moved, with what a copy has to know
 * of the place. One thread owns it and everything that comes from it; devices are brought up as
 * they are asked for.
 */
public abstract class Endpoints implements Surroundings, AutoCloseable {
    /** Creates endpoints; called by subclasses. */
    protected Endpoints() {}

    /** Returns the kind, as documents name it: {@code emulator}, {@code vfio}. */
    public abstract String kind();

    /** Returns the devices that are there, in bus order. */
    public abstract List<String> locators();

    /** Returns a snapshot of the PCI tree, from which routes are judged. */
    public abstract Machine machine();

    /** Returns what is true of all of them. */
    public abstract FabricTraits traits();

    /**
     * Opens a port of its own to blocks, which the caller closes.
     *
     * @param extent the device and, where it has several, the namespace; its range does not count
     * @param depth how many commands are in flight at most
     * @throws PeerlaneException if there is no such device, or it can't be brought up or used
     */
    public abstract Endpoint endpoint(Extent extent, int depth);

    /**
     * Returns the memory of a device that can carry data, ready for use. It stays the device's.
     *
     * @throws PeerlaneException if it has none, or it can't be used
     */
    public abstract BufferCandidate memory(String locator);

    /** Returns their NVMe controllers, where this library drives them itself. */
    public Optional<NvmeControllers> controllers() {
        return Optional.empty();
    }

    /** Closes what is still open, even where one of it fails. A second call does nothing. */
    @Override
    public abstract void close();
}
