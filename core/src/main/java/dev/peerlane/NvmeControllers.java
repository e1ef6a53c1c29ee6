package dev.peerlane;

import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;

/** Controllers that this library drives itself, brought up as they are asked for. */
public interface NvmeControllers {
    /** Returns the fabric that they are in. */
    Fabric fabric();

    /**
     * Returns a controller, brought up at the first call.
     *
     * @param locator the device
     * @throws PeerlaneException if there is no such device or it can't be brought up
     */
    Controller controller(String locator);

    /**
     * Returns a namespace: the named one, or the only one.
     *
     * @throws PeerlaneException if it does not exist, or none is named and there is not exactly one
     */
    Namespace namespace(Extent extent);

    /**
     * Returns the CMB of a device, enabled.
     *
     * @throws PeerlaneException if it has none, or it can't be used
     */
    ControllerMemoryBuffer cmb(String locator);
}
