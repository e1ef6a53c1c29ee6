package dev.peerlane.vfio;

import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads and writes of a device's regions through its descriptor, up to 8 bytes each. A device that
 * is gone or decodes nothing answers nothing.
 */
final class DeviceFile {
    private static final int SCRATCH_BYTES = 8;

    private final Kernel kernel;
    private final String locator;
    private final int fd;
    private final MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH_BYTES, 8);
    private boolean open = true;

    DeviceFile(Kernel kernel, String locator, int fd) {
        this.kernel = kernel;
        this.locator = locator;
        this.fd = fd;
    }

    int fd() {
        return fd;
    }

    /** Where a load leaves what it read and a store takes what it writes. */
    MemorySegment scratch() {
        return scratch;
    }

    /** No access reaches the kernel any more: the number may be another file's soon. */
    void shut() {
        open = false;
    }

    /** Loads; answers false if there was nobody to answer. */
    boolean load(Region region, long offset, int bytes) {
        if (!open || offset < 0 || offset > region.sizeBytes() - bytes) {
            return false;
        }
        long done = kernel.pread(fd, scratch.asSlice(0, bytes), region.offset() + offset);
        return answered(done, "pread", region, offset) && done == bytes;
    }

    /** Stores; what nobody takes is lost, as on the bus. */
    void store(Region region, long offset, int bytes) {
        if (!open || offset < 0 || offset > region.sizeBytes() - bytes) {
            return;
        }
        long done = kernel.pwrite(fd, scratch.asSlice(0, bytes), region.offset() + offset);
        answered(done, "pwrite", region, offset);
    }

    private boolean answered(long result, String call, Region region, long offset) {
        if (result == -Errno.EIO || result == -Errno.ENODEV || result == -Errno.ENXIO) {
            return false;
        }
        KernelException.check(
                result,
                "device-access-failed",
                call,
                "%s, region %d at 0x%x".formatted(locator, region.index(), offset),
                "See whether the device is still there");
        return true;
    }
}
