package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.parts.MemoryFault;

/**
 * Converts what an access to a lost device throws into a {@link PeerlaneException}. A SIGBUS in a
 * mapped BAR (memory decoding turned off, a device pulled out) arrives as an {@link InternalError},
 * some instructions late, so the engine catches it once per turn and not at the access.
 */
final class Faults {
    private Faults() {}

    /**
     * Adds a later error to the first one, unless both are the same object: a port throws its own
     * error again.
     */
    static void add(PeerlaneException first, Throwable later) {
        if (first != later) {
            first.addSuppressed(later);
        }
    }

    /** Returns a {@link PeerlaneException} as it is, and an {@link InternalError} converted. */
    static PeerlaneException of(Throwable thrown) {
        if (thrown instanceof PeerlaneException ours) {
            return ours;
        }
        return MemoryFault.of("a device of this copy", (InternalError) thrown);
    }
}
