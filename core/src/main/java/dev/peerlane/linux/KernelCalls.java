package dev.peerlane.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.peerlane.PeerlaneException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Locale;

/**
 * The system calls of x86-64 Linux. All of them go through {@code syscall(2)} of the C library, so
 * that a single downcall is linked, on first use.
 */
public final class KernelCalls implements Kernel {
    // System call numbers of x86-64: arch/x86/entry/syscalls/syscall_64.tbl
    private static final long SYS_READ = 0;
    private static final long SYS_OPEN = 2;
    private static final long SYS_CLOSE = 3;
    private static final long SYS_POLL = 7;
    private static final long SYS_MMAP = 9;
    private static final long SYS_MUNMAP = 11;
    private static final long SYS_IOCTL = 16;
    private static final long SYS_PREAD = 17;
    private static final long SYS_PWRITE = 18;
    private static final long SYS_GETRLIMIT = 97;
    private static final long SYS_MLOCK = 149;
    private static final long SYS_EVENTFD2 = 290;

    private static final int RLIMIT_MEMLOCK = 8;
    private static final short POLLIN = 1;
    private static final int MAX_INTERRUPTED = 16;

    private static final KernelCalls INSTANCE = new KernelCalls();

    /** Holder that links the downcall on first use. */
    private static final class Linked {
        private static final StructLayout STATE = Linker.Option.captureStateLayout();
        private static final VarHandle ERRNO =
                STATE.varHandle(PathElement.groupElement("errno")).withInvokeExactBehavior();
        private static final MethodHandle SYSCALL =
                // SAFETY: the descriptor is that of syscall(long, ...) with six arguments, each a
                // register wide; which of them the kernel reads depends on the call's number.
                Linker.nativeLinker()
                        .downcallHandle(
                                Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
                                FunctionDescriptor.of(
                                        JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                                        JAVA_LONG, JAVA_LONG, JAVA_LONG),
                                Linker.Option.captureCallState("errno"),
                                Linker.Option.firstVariadicArg(1));
        private static final ThreadLocal<MemorySegment> CAPTURE =
                ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

        private Linked() {}
    }

    private KernelCalls() {}

    /**
     * Returns the kernel of this machine.
     *
     * @throws PeerlaneException of category MACHINE unless this is Linux on x86-64
     */
    public static Kernel instance() {
        return instance(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    static Kernel instance(String system, String processor) {
        boolean linux = system.toLowerCase(Locale.ROOT).equals("linux");
        if (!linux || !processor.equals("amd64")) {
            throw PeerlaneException.machine(
                    "platform-unsupported",
                    "real devices need Linux on x86-64, and this is %s on %s"
                            .formatted(system, processor),
                    "Run it there, or use an emulated fabric");
        }
        return INSTANCE;
    }

    @Override
    public long open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path);
            return again(SYS_OPEN, name.address(), flags, 0, 0, 0, 0);
        }
    }

    @Override
    public long close(int fd) {
        return call(SYS_CLOSE, fd, 0, 0, 0, 0, 0);
    }

    @Override
    public long ioctl(int fd, Request request, long argument) {
        return again(SYS_IOCTL, fd, request.number(), argument, 0, 0, 0);
    }

    @Override
    public long ioctl(int fd, Request request, MemorySegment argument) {
        return again(SYS_IOCTL, fd, request.number(), address(argument), 0, 0, 0);
    }

    @Override
    public long mmap(long bytes, int protection, int flags, int fd, long offset) {
        return call(SYS_MMAP, 0, bytes, protection, flags, fd, offset);
    }

    @Override
    public long munmap(long address, long bytes) {
        return call(SYS_MUNMAP, address, bytes, 0, 0, 0, 0);
    }

    @Override
    public long mlock(long address, long bytes) {
        return call(SYS_MLOCK, address, bytes, 0, 0, 0, 0);
    }

    @Override
    public long pread(int fd, MemorySegment target, long offset) {
        return again(SYS_PREAD, fd, address(target), target.byteSize(), offset, 0, 0);
    }

    @Override
    public long pwrite(int fd, MemorySegment source, long offset) {
        return again(SYS_PWRITE, fd, address(source), source.byteSize(), offset, 0, 0);
    }

    @Override
    public long read(int fd, MemorySegment target) {
        return again(SYS_READ, fd, address(target), target.byteSize(), 0, 0, 0);
    }

    @Override
    public long eventfd(int initial, int flags) {
        return call(SYS_EVENTFD2, initial, flags, 0, 0, 0, 0);
    }

    @Override
    public long pollIn(int fd, int timeoutMillis) {
        try (Arena arena = Arena.ofConfined()) {
            // struct pollfd: int fd, short events, short revents
            MemorySegment entry = arena.allocate(8, 4);
            entry.set(JAVA_INT, 0, fd);
            entry.set(JAVA_SHORT, 4, POLLIN);
            long result = call(SYS_POLL, entry.address(), 1, timeoutMillis, 0, 0, 0);
            return result == -Errno.EINTR ? 0 : result;
        }
    }

    @Override
    public long lockLimitBytes() {
        try (Arena arena = Arena.ofConfined()) {
            // struct rlimit: soft, hard; all ones is no limit
            MemorySegment limits = arena.allocate(16, 8);
            long result = call(SYS_GETRLIMIT, RLIMIT_MEMLOCK, limits.address(), 0, 0, 0, 0);
            long soft = limits.get(JAVA_LONG, 0);
            return result < 0 ? result : soft < 0 ? Long.MAX_VALUE : soft;
        }
    }

    static long address(MemorySegment segment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a segment on the heap has no address");
        }
        return segment.address();
    }

    /** Repeats a call for as long as signals interrupt it. */
    static long again(long number, long a, long b, long c, long d, long e, long f) {
        long result = call(number, a, b, c, d, e, f);
        for (int i = 0; result == -Errno.EINTR && i < MAX_INTERRUPTED; i++) {
            result = call(number, a, b, c, d, e, f);
        }
        return result;
    }

    static long call(long number, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = Linked.CAPTURE.get();
        try {
            // SAFETY: callers pass descriptors, lengths, and addresses of live segments of at least
            // that length; the kernel checks them and answers EFAULT for a bad address.
            long result = (long) Linked.SYSCALL.invokeExact(state, number, a, b, c, d, e, f);
            return result == -1 ? -(long) (int) Linked.ERRNO.get(state, 0L) : result;
        } catch (Error | RuntimeException problem) {
            throw problem;
        } catch (Throwable problem) {
            throw new IllegalStateException(problem); // a downcall throws no checked exception
        }
    }
}
