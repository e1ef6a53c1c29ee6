package dev.peerlane.vfio;

import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.linux.Cleanup;

/**
 * A cleanup whose steps may touch device memory that no longer answers: such a SIGBUS becomes a
 * typed fault.
 */
final class MemoryCleanup extends Cleanup {
    @Override
    protected RuntimeException typed(InternalError e) {
        return MemoryFault.of("memory of a device that is being closed", e);
    }
}
