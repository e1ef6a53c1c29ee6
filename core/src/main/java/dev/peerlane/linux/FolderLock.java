package dev.peerlane.linux;

/**
 * An advisory lock on a folder: flock(2) on the folder itself, so that no lock file is left behind.
 * The lock is released when this object is closed or the process ends.
 */
public final class FolderLock implements AutoCloseable {
    // System call number of x86-64: arch/x86/entry/syscalls/syscall_64.tbl
    private static final long SYS_FLOCK = 73;
    private static final int LOCK_EX = 2;
    private static final int LOCK_NB = 4;
    private static final int MAX_TRIES = 5_000;

    private final int fd;

    private FolderLock(int fd) {
        this.fd = fd;
    }

    /**
     * Takes the lock. While another process holds it, this waits up to 5000 times.
     *
     * @param folder the folder to lock
     * @param code stable name of the error if the lock can't be taken
     * @param remedy remedy of that error
     * @param wait waits briefly between two attempts
     * @throws KernelException if the folder does not exist, can't be read, or is not released in
     *     time
     */
    public static FolderLock take(String folder, String code, String remedy, Runnable wait) {
        int flags = Kernel.O_RDONLY | Kernel.O_CLOEXEC;
        long fd = KernelCalls.instance().open(folder, flags);
        KernelException.check(fd, code, "open", folder, remedy);
        boolean done = false;
        try {
            long result = lock(fd);
            for (int i = 0; result == -Errno.EAGAIN && i < MAX_TRIES; i++) {
                wait.run();
                result = lock(fd);
            }
            KernelException.check(result, code, "flock", folder, remedy);
            done = true;
            return new FolderLock((int) fd);
        } finally {
            if (!done) {
                KernelCalls.instance().close((int) fd);
            }
        }
    }

    private static long lock(long fd) {
        return KernelCalls.again(SYS_FLOCK, fd, LOCK_EX | LOCK_NB, 0, 0, 0, 0);
    }

    /** Releases the lock. */
    @Override
    public void close() {
        KernelCalls.instance().close(fd);
    }
}
