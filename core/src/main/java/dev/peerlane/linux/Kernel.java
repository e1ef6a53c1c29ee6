package dev.peerlane.linux;

import java.lang.foreign.MemorySegment;

/**
 * The system calls that devices need. Every call answers as the kernel does: a result of 0 or more,
 * or the negated {@link Errno}. None throws; {@link KernelException#check} turns an answer into an
 * error.
 *
 * <p>Segments are off-heap and stay alive during the call. Any thread may call.
 */
public interface Kernel {
    /** Open for reading and writing. */
    int O_RDWR = 2;

    /** Open for reading. */
    int O_RDONLY = 0;

    /** Don't hand the descriptor to programs that this process starts. */
    int O_CLOEXEC = 0x80000;

    /** The mapping may be read. */
    int PROT_READ = 1;

    /** The mapping may be written. */
    int PROT_WRITE = 2;

    /** Stores reach the file or the device. */
    int MAP_SHARED = 1;

    /** Stores stay in this process. */
    int MAP_PRIVATE = 2;

    /** Memory without a file. */
    int MAP_ANONYMOUS = 0x20;

    /** Have all pages there at once. */
    int MAP_POPULATE = 0x8000;

    /** From the pool of huge pages. */
    int MAP_HUGETLB = 0x40000;

    /** With {@link #MAP_HUGETLB}: pages of 2 MiB. */
    int MAP_HUGE_2MB = 21 << 26;

    /** Reading an event counter does not block. */
    int EFD_NONBLOCK = 0x800;

    /** As {@link #O_CLOEXEC}, for an event counter. */
    int EFD_CLOEXEC = 0x80000;

    /** Opens a file; answers its descriptor. */
    long open(String path, int flags);

    /** Closes a descriptor, which is gone then whatever the answer is. */
    long close(int fd);

    /** Makes a request whose argument is a value. */
    long ioctl(int fd, Request request, long argument);

    /** Makes a request whose argument is a structure. */
    long ioctl(int fd, Request request, MemorySegment argument);

    /** Maps memory; answers its address. */
    long mmap(long bytes, int protection, int flags, int fd, long offset);

    /** Takes a mapping away; nothing may touch it any more. */
    long munmap(long address, long bytes);

    /** Locks memory so that it stays in RAM. */
    long mlock(long address, long bytes);

    /** Reads from an offset; answers how many bytes. */
    long pread(int fd, MemorySegment target, long offset);

    /** Writes at an offset; answers how many bytes. */
    long pwrite(int fd, MemorySegment source, long offset);

    /** Reads from where the descriptor is; answers how many bytes. */
    long read(int fd, MemorySegment target);

    /** Makes an event counter; answers its descriptor. */
    long eventfd(int initial, int flags);

    /** Waits until a descriptor can be read; answers 1 if so and 0 if the time is over. */
    long pollIn(int fd, int timeoutMillis);

    /** Returns how many bytes this process may lock, {@link Long#MAX_VALUE} for no limit. */
    long lockLimitBytes();
}
