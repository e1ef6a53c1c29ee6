package dev.peerlane.copy;

import dev.peerlane.block.PeerMemory;
import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * A CMB that may carry the data of a copy.
 *
 * @param locator the device that owns the CMB
 * @param owner that device's PCI address
 * @param memory the CMB, enabled
 */
public record BufferCandidate(String locator, Bdf owner, PeerMemory memory) {
    /** Compares candidates by their memory alone. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BufferCandidate that && memory == that.memory;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(memory);
    }
}
