package dev.peerlane.linux;

import dev.peerlane.PeerlaneException;

/** A failed system call: its name, the object, the error number and the remedy. */
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
     * Returns a result, or throws if it is an error.
     *
     * @param result the result of a call of {@link Kernel}
     * @param code stable name of the error
     * @param call name of the call or of the request
     * @param object the object of the call, for the message
     * @param remedy remedy of the error
     * @return {@code result}, which is not negative
     * @throws KernelException if the result is negative
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
     * @param object the object that is closed, for the message
     * @throws KernelException if the kernel reports an error; the descriptor is closed all the same
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
