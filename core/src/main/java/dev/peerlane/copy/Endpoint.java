package dev.peerlane.copy;

import dev.peerlane.block.BlockPort;
import dev.peerlane.pci.Bdf;

/**
 * One side of a copy: a namespace and a port of its own to it.
 *
 * @param locator the device, such as {@code emu:ssd0}
 * @param bdf its PCI address
 * @param serial its serial number
 * @param model its model number
 * @param nsid the namespace
 * @param port the port that moves its blocks; no one else uses it
 */
public record Endpoint(
        String locator, Bdf bdf, String serial, String model, int nsid, BlockPort port) {
    /** Returns the namespace as a user names it, such as {@code emu:ssd0/n1}. */
    public String name() {
        return locator + "/n" + nsid;
    }
}
