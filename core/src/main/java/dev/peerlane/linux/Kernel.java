package dev.peerlane.linux;

import java.lang.foreign.MemorySegment;

/**
 * The system calls for driving devices. Each call returns what the kernel returns: a result of 0 or
 * more, or the negated {@link Errno}. None throws; {@link KernelException#check} turns an error
 * number into an exception.
 *
 * <p>Segments must be off-heap and stay alive during the call. Any thread may call.
 */
public interface Kernel {
    /** Flag of {@link #open}: open for reading and writing. */
    int O_RDWR = 2;

    /** Flag of {@link #open}: open for reading. */
    int O_RDONLY = 0;

    /** Flag of {@link #open}: programs that this process starts don't inherit the descriptor. */
    int O_CLOEXEC = 0x80000;

    /** Protection of {@link #mmap}: the memory may be read. */
    int PROT_READ = 1;

    /** Protection of {@link #mmap}: the memory may be written. */
    int PROT_WRITE = 2;

    /** Flag of {@link #mmap}: stores reach the file or the device. */
    int MAP_SHARED = 1;

    /** Flag of {@link #mmap}: stores stay in this process. */
    int MAP_PRIVATE = 2;

    /** Flag of {@link #mmap}: memory without a file. */
    int MAP_ANONYMOUS = 0x20;

    /** Flag of {@link #mmap}: fault in all pages at once. */
    int MAP_POPULATE = 0x8000;

    /** Flag of {@link #mmap}: take memory from the pool of huge pages. */
    int MAP_HUGETLB = 0x40000;

    /** With {@link #MAP_HUGETLB}: pages of 2 MiB. */
    int MAP_HUGE_2MB = 21 << 26;

    /** Flag of {@link #eventfd}: reading the counter does not block. */
    int EFD_NONBLOCK = 0x800;

    /** Flag of {@link #eventfd}: as {@link #O_CLOEXEC}. */
    int EFD_CLOEXEC = 0x80000;

    /** Opens a file. Returns its descriptor. */
    long open(String path, int flags);

    /** Closes a descriptor. It is closed even if this returns an error. */
    long close(int fd);

    /** Sends a request whose argument is a value. */
    long ioctl(int fd, Request request, long argument);

    /** Sends a request whose argument is a structure. */
    long ioctl(int fd, Request request, MemorySegment argument);

    /** Maps memory. Returns its address. */
    long mmap(long bytes, int protection, int flags, int fd, long offset);

    /** Removes a mapping. No access may follow. */
    long munmap(long address, long bytes);

    /** Locks memory so that it stays in RAM. */
    long mlock(long address, long bytes);

    /** Reads from an offset. Returns the number of bytes. */
    long pread(int fd, MemorySegment target, long offset);

    /** Writes at an offset. Returns the number of bytes. */
    long pwrite(int fd, MemorySegment source, long offset);

    /** Reads from the descriptor's current position. Returns the number of bytes. */
    long read(int fd, MemorySegment target);

    /** Creates an event counter. Returns its descriptor. */
    long eventfd(int initial, int flags);

    /** Waits until a descriptor is readable. Returns 1 if it is, 0 after the timeout. */
    long pollIn(int fd, int timeoutMillis);

    /**
     * Returns the limit of locked memory of this process in bytes, {@link Long#MAX_VALUE} for none.
     */
    long lockLimitBytes();
}
