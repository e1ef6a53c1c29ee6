package dev.peerlane.hal.parts;

import dev.peerlane.PeerlaneException;
import org.jspecify.annotations.Nullable;

/**
 * What a device's memory that stopped answering looks like from Java: the processor's SIGBUS
 * arrives as an {@link InternalError}, at the next safepoint, so some calls late. Whoever drives a
 * device catches it where a step ends and goes on with this.
 */
public final class MemoryFault extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    /** The code of such a fault. */
    public static final String CODE = "device-memory-fault";

    private MemoryFault(String what, @Nullable InternalError e) {
        super(
                Category.IO,
                CODE,
                what + " does not answer any more",
                "See whether the device was unplugged or reset by somebody else, then open it again",
                e);
    }

    /**
     * Returns it as a fault of a device.
     *
     * @param what the memory or the device, as the subject of a sentence
     * @param e what arrived, or null where the silence was found otherwise
     */
    public static MemoryFault of(String what, @Nullable InternalError e) {
        return new MemoryFault(what, e);
    }
}
