package dev.peerlane.binding;

import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import java.util.ArrayList;
import java.util.List;

/**
 * Block devices that this process has opened exclusively. While it has them nobody can mount them
 * or a partition of theirs, swap to them, or build on them (open(2), O_EXCL without O_CREAT).
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
     * Opens those that nobody else has exclusively.
     *
     * @param names such as nvme0n1
     * @throws KernelException if one can't be opened for another reason; none stays open then
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
                        : "It is opened so that nobody can mount it meanwhile: see what is wrong"
                                + " with it";
        KernelException.check(fd, "device-not-claimed", "open", node, remedy);
        nodes.add(node);
        descriptors.add((int) fd);
    }

    /** Returns the names of those that somebody else has exclusively. */
    List<String> held() {
        return List.copyOf(held);
    }

    @Override
    public void close() {
        release();
    }

    /** Lets go of all; a second time does nothing. */
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
