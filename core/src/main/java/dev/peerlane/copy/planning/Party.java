package dev.peerlane.copy.planning;

import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * The properties of one side of a copy that decide which memory may carry the data.
 *
 * @param name the name of the device in messages
 * @param bdf its PCI address
 * @param blockBytes bytes of a logical block; 0 if unknown
 * @param maxTransferBytes bytes of the longest transfer of one command; 0 if unknown
 * @param canCompare whether the device has the Compare command
 * @param relaxedOrdering whether its writes may overtake each other during the copy; null if the
 *     device was not opened, because opening may change that
 */
public record Party(
        String name,
        Bdf bdf,
        int blockBytes,
        int maxTransferBytes,
        boolean canCompare,
        @Nullable Boolean relaxedOrdering) {
    /** Returns one side of a request. */
    static Party of(Endpoint side, Machine machine) {
        PortLimits limits = side.port().limits();
        return new Party(
                side.locator(),
                side.bdf(),
                limits.blockBytes(),
                limits.maxTransferBytes(),
                limits.canCompare(),
                machine.function(side.bdf()).map(PciFunction::relaxedOrdering).orElse(true));
    }

    /** Returns this device with another block length and no transfer limit. */
    Party withBlocks(int bytes) {
        return new Party(name, bdf, bytes, maxTransferBytes, canCompare, relaxedOrdering);
    }
}
