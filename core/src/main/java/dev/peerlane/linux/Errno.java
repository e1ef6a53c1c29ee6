package dev.peerlane.linux;

import java.util.Map;

/** Error numbers of Linux on x86-64, by name. */
public final class Errno {
    /** Operation not permitted. */
    public static final int EPERM = 1;

    /** No such file. */
    public static final int ENOENT = 2;

    /** Interrupted by a signal. */
    public static final int EINTR = 4;

    /** Input or output error. */
    public static final int EIO = 5;

    /** No such device or address. */
    public static final int ENXIO = 6;

    /** The call would block. */
    public static final int EAGAIN = 11;

    /** Out of memory, or a limit on memory is reached. */
    public static final int ENOMEM = 12;

    /** Permission denied. */
    public static final int EACCES = 13;

    /** Bad address. */
    public static final int EFAULT = 14;

    /** The device or resource is in use. */
    public static final int EBUSY = 16;

    /** The file or mapping exists already. */
    public static final int EEXIST = 17;

    /** No such device. */
    public static final int ENODEV = 19;

    /** Invalid argument. */
    public static final int EINVAL = 22;

    /** The descriptor does not support this request. */
    public static final int ENOTTY = 25;

    /** No space left. */
    public static final int ENOSPC = 28;

    /** The address is in use. */
    public static final int EADDRINUSE = 98;

    /** The peer closed the connection before it had read all bytes. */
    public static final int ECONNRESET = 104;

    /** Nobody listens at the address. */
    public static final int ECONNREFUSED = 111;

    /** The message is too long, or the buffer for the result is too small. */
    public static final int EMSGSIZE = 90;

    /** The operation is not supported. */
    public static final int EOPNOTSUPP = 95;

    private static final Map<Integer, String> NAMES =
            Map.ofEntries(
                    Map.entry(EPERM, "EPERM, operation not permitted"),
                    Map.entry(ENOENT, "ENOENT, no such file or directory"),
                    Map.entry(EINTR, "EINTR, interrupted"),
                    Map.entry(EIO, "EIO, input/output error"),
                    Map.entry(ENXIO, "ENXIO, no such device or address"),
                    Map.entry(7, "E2BIG, argument too long"),
                    Map.entry(9, "EBADF, bad file descriptor"),
                    Map.entry(EAGAIN, "EAGAIN, resource temporarily unavailable"),
                    Map.entry(ENOMEM, "ENOMEM, cannot allocate memory"),
                    Map.entry(EACCES, "EACCES, permission denied"),
                    Map.entry(EFAULT, "EFAULT, bad address"),
                    Map.entry(EBUSY, "EBUSY, device or resource busy"),
                    Map.entry(EEXIST, "EEXIST, exists already"),
                    Map.entry(ENODEV, "ENODEV, no such device"),
                    Map.entry(EINVAL, "EINVAL, invalid argument"),
                    Map.entry(23, "ENFILE, too many open files in the system"),
                    Map.entry(24, "EMFILE, too many open files"),
                    Map.entry(ENOTTY, "ENOTTY, not a request of this descriptor"),
                    Map.entry(27, "EFBIG, too large"),
                    Map.entry(ENOSPC, "ENOSPC, no space left"),
                    Map.entry(30, "EROFS, read-only file system"),
                    Map.entry(34, "ERANGE, out of range"),
                    Map.entry(38, "ENOSYS, no such system call"),
                    Map.entry(75, "EOVERFLOW, value too large"),
                    Map.entry(EMSGSIZE, "EMSGSIZE, message too long"),
                    Map.entry(EOPNOTSUPP, "EOPNOTSUPP, operation not supported"),
                    Map.entry(EADDRINUSE, "EADDRINUSE, address in use"),
                    Map.entry(ECONNREFUSED, "ECONNREFUSED, connection refused"),
                    Map.entry(32, "EPIPE, broken pipe"),
                    Map.entry(ECONNRESET, "ECONNRESET, connection reset"),
                    Map.entry(110, "ETIMEDOUT, timed out"));

    private Errno() {}

    /** Returns an error's name and meaning, or its bare number if it is not listed. */
    public static String text(int errno) {
        return NAMES.getOrDefault(errno, "errno " + errno);
    }
}
