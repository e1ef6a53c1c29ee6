package dev.peerlane.copy;

import dev.peerlane.block.PeerMemory;
import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * A CMB that could carry the data.
 *
 * @param locator the device that owns it
 * @param owner that device's address
 * @param memory the CMB, enabled
 */
public record BufferCandidate(String locator, Bdf owner, PeerMemory memory) {
    /** Candidates are equal if they are the same memory. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BufferCandidate that && memory == that.memory;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(memory);
    }
}
