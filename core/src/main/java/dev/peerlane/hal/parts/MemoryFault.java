package dev.peerlane.hal.parts;

import dev.peerlane.PeerlaneException;
import org.jspecify.annotations.Nullable;

/**
 * The error of a device whose mapped memory stopped answering. The processor's SIGBUS arrives in
 * Java as an {@link InternalError} at the next safepoint, so some calls late. Code that drives a
 * device catches that error at the end of a step and throws this one instead.
 */
public final class MemoryFault extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    /** The error code of this fault. */
    public static final String CODE = "device-memory-fault";

    private MemoryFault(String what, @Nullable InternalError e) {
        super(
                Category.IO,
                CODE,
                what + " no longer answers",
                "Check whether the device was unplugged or reset, then open it again",
                e);
    }

    /**
     * Creates the fault of a device.
     *
     * @param what the memory or the device, worded as the subject of a sentence
     * @param e the error that arrived, or null if the silence was detected otherwise
     */
    public static MemoryFault of(String what, @Nullable InternalError e) {
        return new MemoryFault(what, e);
    }
}
