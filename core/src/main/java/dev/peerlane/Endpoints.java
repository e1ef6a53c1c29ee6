package dev.peerlane;

import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.Optional;

/**
 * Devices that a provider has opened and between which data can be moved, and what a copy must know
 * of their surroundings. One thread owns the endpoints and everything obtained from them. A device
 * is brought up when it is first asked for.
 */
public abstract class Endpoints implements Surroundings, AutoCloseable {
    /** Creates endpoints; for subclasses. */
    protected Endpoints() {}

    /** Returns the kind of backend, as documents name it: {@code emulator}, {@code vfio}. */
    public abstract String kind();

    /** Returns the locators of all devices, in bus order. */
    public abstract List<String> locators();

    /** Returns a snapshot of the PCI tree, from which routes are judged. */
    public abstract Machine machine();

    /** Returns the properties that all of these endpoints share. */
    public abstract FabricTraits traits();

    /**
     * Opens a port of its own to a device's blocks. The caller closes the port.
     *
     * @param extent the device and, if it has several namespaces, the namespace; its range is
     *     ignored
     * @param depth maximum number of commands in flight
     * @throws PeerlaneException if there is no such device, or it can't be brought up or used
     */
    public abstract Endpoint endpoint(Extent extent, int depth);

    /**
     * Returns the memory of a device that can carry data, ready for use. The device keeps
     * ownership.
     *
     * @throws PeerlaneException if the device has no such memory, or the memory can't be used
     */
    public abstract BufferCandidate memory(String locator);

    /** Returns the NVMe controllers of these endpoints; empty if another driver has them. */
    public Optional<NvmeControllers> controllers() {
        return Optional.empty();
    }

    /**
     * Closes everything that is open, even if closing one resource fails. Closing again has no
     * effect.
     */
    @Override
    public abstract void close();
}
