package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.parts.MemoryFault;

/**
 * Turns what a touch of a lost device throws into an error of ours. A SIGBUS in a mapped BAR
 * (memory decoding turned off, a device pulled out) arrives as an {@link InternalError}, some
 * instructions late, so it is caught at the engine's turns and not at the access.
 */
final class Faults {
    private Faults() {}

    /**
     * Has the first error tell of a later one, which can be the same: a port throws its own again.
     */
    static void add(PeerlaneException first, Throwable later) {
        if (first != later) {
            first.addSuppressed(later);
        }
    }

    /** Returns an error of ours as it is, and an {@link InternalError} as one. */
    static PeerlaneException of(Throwable thrown) {
        if (thrown instanceof PeerlaneException ours) {
            return ours;
        }
        return MemoryFault.of("a device of this copy", (InternalError) thrown);
    }
}
