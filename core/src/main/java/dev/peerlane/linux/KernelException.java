package dev.peerlane.linux;

import dev.peerlane.PeerlaneException;

/** A system call that failed: which, on what, with which error number, and what to do. */
public final class KernelException extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    private KernelException(String code, String call, String object, int errno, String remedy) {
        super(
                Category.MACHINE,
                code,
                "%s: %s failed with %s".formatted(object, call, Errno.text(errno)),
                remedy);
        this.call = call;
        this.errno = errno;
    }

    /**
     * Passes a result on, or throws.
     *
     * @param result of a call of {@link Kernel}
     * @param code stable name of the error
     * @param call the call's or the request's name
     * @param object what it was made on
     * @param remedy what to do if it failed
     * @return {@code result}, which is not negative
     * @throws KernelException if it is
     */
    public static long check(long result, String code, String call, String object, String remedy) {
        if (result < 0) {
            throw new KernelException(code, call, object, (int) -result, remedy);
        }
        return result;
    }

    /**
     * Closes a descriptor.
     *
     * @param object what it is of
     * @throws KernelException if the kernel complains; it is closed all the same
     */
    public static void close(Kernel kernel, int fd, String object) {
        check(
                kernel.close(fd),
                "close-failed",
                "close",
                object,
                "It is closed all the same; look at the kernel's log");
    }

    /** Returns the name of the call or of the request. */
    public String call() {
        return call;
    }

    /** Returns the error number. */
    public int errno() {
        return errno;
    }
}
