package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads and writes a device's regions through its descriptor, 2, 4 or 8 bytes at a time. If the
 * device is gone or decodes nothing, loads return all ones and stores are dropped. Only the thread
 * that opened the device may use it.
 */
final class DeviceFile {
    private static final int SCRATCH_BYTES = 8;

    private final OwnerThread thread = new OwnerThread();
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

    /**
     * Stops all further access, because the kernel may soon give the descriptor's number to another
     * file.
     */
    void shut() {
        open = false;
    }

    /** Loads 4 or 8 bytes. Returns all ones if the device did not answer. */
    long load(Region region, long offset, int bytes) {
        thread.check(locator);
        if (!open || offset < 0 || offset > region.sizeBytes() - bytes) {
            return -1;
        }
        long done = kernel.pread(fd, scratch.asSlice(0, bytes), region.offset() + offset);
        if (!answered(done, "pread", region, offset) || done != bytes) {
            return -1;
        }
        return bytes == 8 ? scratch.get(JAVA_LONG, 0) : scratch.get(JAVA_INT, 0);
    }

    /**
     * Stores 2, 4 or 8 bytes. A store that the device does not accept is dropped, as on the bus.
     */
    void store(Region region, long offset, int bytes, long value) {
        thread.check(locator);
        if (!open || offset < 0 || offset > region.sizeBytes() - bytes) {
            return;
        }
        switch (bytes) {
            case 2 -> scratch.set(JAVA_SHORT, 0, (short) value);
            case 4 -> scratch.set(JAVA_INT, 0, (int) value);
            default -> scratch.set(JAVA_LONG, 0, value);
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
