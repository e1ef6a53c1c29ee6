package dev.peerlane.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Creates and inspects files in memory, which are shared with another process by their descriptor.
 * Each call returns a result or a negated error number, as those of {@link Kernel} do.
 */
public final class MemoryFile {
    // System call numbers of x86-64: arch/x86/entry/syscalls/syscall_64.tbl
    private static final long SYS_FSTAT = 5;
    private static final long SYS_MMAP = 9;
    private static final long SYS_FCNTL = 72;
    private static final long SYS_FTRUNCATE = 77;
    private static final long SYS_FALLOCATE = 285;
    private static final long SYS_MEMFD_CREATE = 319;

    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_SEAL = 1;
    private static final int F_SEAL_SHRINK = 2;
    private static final int F_SEAL_GROW = 4;
    private static final int SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
    private static final int MAP_FIXED = 0x10;

    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;

    private static final int STAT_BYTES = 144;
    private static final int ST_MODE = 24;
    private static final int ST_SIZE = 48;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFREG = 0x8000;

    private MemoryFile() {}

    /**
     * Creates a zeroed file in memory of a fixed length. Returns its descriptor. A process that
     * receives the descriptor can neither truncate nor extend the file, nor seal it against
     * writing.
     *
     * @param name the file's name in /proc; it has no other use
     */
    public static long create(String name, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(name);
            long fd =
                    KernelCalls.call(
                            SYS_MEMFD_CREATE,
                            text.address(),
                            MFD_CLOEXEC | MFD_ALLOW_SEALING,
                            0,
                            0,
                            0,
                            0);
            if (fd < 0) {
                return fd;
            }
            long result = KernelCalls.again(SYS_FTRUNCATE, fd, bytes, 0, 0, 0, 0);
            if (result >= 0) {
                result = KernelCalls.call(SYS_FCNTL, fd, F_ADD_SEALS, SEALS, 0, 0, 0);
            }
            if (result < 0) {
                KernelCalls.instance().close((int) fd);
                return result;
            }
            return fd;
        }
    }

    /**
     * Returns whether a file is in memory. An access to any other file can block forever on a disk,
     * a network, or a user-space file system.
     */
    public static boolean isMemory(int fd) {
        return KernelCalls.call(SYS_FCNTL, fd, F_GET_SEALS, 0, 0, 0, 0) >= 0;
    }

    /** Returns whether a file is sealed against truncation. */
    public static boolean isFixed(int fd) {
        long seals = KernelCalls.call(SYS_FCNTL, fd, F_GET_SEALS, 0, 0, 0, 0);
        return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    }

    /**
     * Maps a file over an existing mapping, which it replaces.
     *
     * @param address address of the existing mapping
     * @param bytes length of the mapping; the file is at least that long
     */
    public static long mapOver(long address, long bytes, int fd) {
        int both = Kernel.PROT_READ | Kernel.PROT_WRITE;
        return KernelCalls.call(
                SYS_MMAP, address, bytes, both, Kernel.MAP_SHARED | MAP_FIXED, fd, 0);
    }

    /**
     * Zeroes a range of a file in every mapping of it, and frees the range's pages. Pages that were
     * never written are not touched.
     */
    public static long clear(int fd, long offset, long bytes) {
        int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        return KernelCalls.again(SYS_FALLOCATE, fd, mode, offset, bytes, 0, 0);
    }

    /**
     * Returns the length of a regular file in bytes, or -EINVAL if the descriptor is not that of a
     * regular file.
     */
    public static long sizeBytes(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stat = arena.allocate(STAT_BYTES, 8);
            long result = KernelCalls.call(SYS_FSTAT, fd, stat.address(), 0, 0, 0, 0);
            if (result < 0) {
                return result;
            }
            boolean regular = (stat.get(JAVA_INT, ST_MODE) & S_IFMT) == S_IFREG;
            return regular ? stat.get(JAVA_LONG, ST_SIZE) : -Errno.EINVAL;
        }
    }
}
