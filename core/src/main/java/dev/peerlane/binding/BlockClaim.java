package dev.peerlane.binding;

import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import java.util.ArrayList;
import java.util.List;

/**
 * Block devices that this process has opened exclusively. While they are open, nothing can mount
 * them or their partitions, swap to them, or stack devices on them (open(2), O_EXCL without
 * O_CREAT).
 */
final class BlockClaim implements AutoCloseable {
    private static final int O_EXCL = 0x80;

    private final Kernel kernel;
    private final List<String> nodes = new ArrayList<>();
    private final List<Integer> descriptors = new ArrayList<>();
    private final List<String> held = new ArrayList<>();

    private BlockClaim(Kernel kernel) {
        this.kernel = kernel;
    }

    /**
     * Opens the devices that nothing else holds exclusively. The others are in {@link #held}.
     *
     * @param names names of block devices, such as nvme0n1
     * @throws KernelException if a device can't be opened for another reason; none stays open then
     */
    static BlockClaim take(Kernel kernel, List<String> names) {
        BlockClaim claim = new BlockClaim(kernel);
        try {
            names.forEach(claim::open);
            return claim;
        } catch (RuntimeException e) {
            new Cleanup().step(claim::release).finish(e);
            throw e;
        }
    }

    private void open(String name) {
        String node = "/dev/" + name;
        long fd = kernel.open(node, Kernel.O_RDONLY | O_EXCL | Kernel.O_CLOEXEC);
        if (fd == -Errno.EBUSY) {
            held.add(name);
            return;
        }
        String remedy =
                fd == -Errno.EACCES || fd == -Errno.EPERM
                        ? "Run as root"
                        : "The device is opened to keep others from mounting it meanwhile: see why"
                                + " that fails";
        KernelException.check(fd, "device-not-claimed", "open", node, remedy);
        nodes.add(node);
        descriptors.add((int) fd);
    }

    /** Returns the names of the devices that something else holds exclusively. */
    List<String> held() {
        return List.copyOf(held);
    }

    @Override
    public void close() {
        release();
    }

    /** Closes all the devices. Releasing again has no effect. */
    void release() {
        Cleanup cleanup = new Cleanup();
        while (!descriptors.isEmpty()) {
            int fd = descriptors.removeLast();
            String node = nodes.removeLast();
            cleanup.step(() -> KernelException.close(kernel, fd, node));
        }
        cleanup.finish();
    }
}
