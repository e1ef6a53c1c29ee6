package dev.peerlane;

import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;

/**
 * NVMe controllers that this library drives itself. A controller is brought up when it is first
 * asked for.
 */
public interface NvmeControllers {
    /** Returns the fabric of the controllers. */
    Fabric fabric();

    /**
     * Returns a controller, and brings it up at the first call.
     *
     * @param locator the device
     * @throws PeerlaneException if there is no such device, or it can't be brought up
     */
    Controller controller(String locator);

    /**
     * Returns the namespace that an extent names, or the only one of its device.
     *
     * @throws PeerlaneException if the namespace does not exist, or if none is named and the device
     *     does not have exactly one
     */
    Namespace namespace(Extent extent);

    /**
     * Returns the CMB of a device, enabled.
     *
     * @throws PeerlaneException if the device has no CMB, or the CMB can't be used
     */
    ControllerMemoryBuffer cmb(String locator);
}
