package dev.peerlane.vfio;

import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.linux.Cleanup;

/** The undoing of what has a device's memory in it, which may answer no more. */
final class MemoryCleanup extends Cleanup {
    @Override
    protected RuntimeException typed(InternalError e) {
        return MemoryFault.of("memory of a device that is being closed", e);
    }
}
