package dev.peerlane.copy.planning;

import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import org.jspecify.annotations.Nullable;

/**
 * One side of a copy, as far as it decides which memory may carry the data.
 *
 * @param name what a person calls the device
 * @param bdf its PCI address
 * @param blockBytes length of a logical block; 0 if it is not known
 * @param maxTransferBytes longest transfer of one command; 0 if it is not known
 * @param canCompare whether it has the Compare command
 * @param relaxedOrdering whether its writes may overtake each other while it copies; null if it was
 *     not opened yet, and what opening it changes is not known
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

    /** Returns the same device with blocks of another length, which takes any transfer. */
    Party withBlocks(int bytes) {
        return new Party(name, bdf, bytes, maxTransferBytes, canCompare, relaxedOrdering);
    }
}
