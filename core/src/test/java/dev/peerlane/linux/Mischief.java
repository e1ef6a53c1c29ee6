package dev.peerlane.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Simulates what other processes do to a shared file, and resources that run out. */
public final class Mischief {
    /** Seal that forbids writing through new mappings. */
    public static final int F_SEAL_FUTURE_WRITE = 0x10;

    // System call numbers of x86-64: arch/x86/entry/syscalls/syscall_64.tbl
    private static final long SYS_LSEEK = 8;
    private static final long SYS_SENDMSG = 46;
    private static final long SYS_FCNTL = 72;
    private static final long SYS_FTRUNCATE = 77;
    private static final long SYS_GETRLIMIT = 97;
    private static final long SYS_SETRLIMIT = 160;
    private static final long SYS_MEMFD_CREATE = 319;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int SEEK_DATA = 3;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int F_ADD_SEALS = 1033;
    private static final int RLIMIT_FSIZE = 1;

    private Mischief() {}

    /** Creates a file in memory that any process with its descriptor may seal and truncate. */
    public static int unsealed(String name, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom(name).address();
            long fd = KernelCalls.call(SYS_MEMFD_CREATE, text, MFD_ALLOW_SEALING, 0, 0, 0, 0);
            KernelException.check(fd, "no-file", "memfd_create", name, "");
            KernelException.check(resize((int) fd, bytes), "no-file", "ftruncate", name, "");
            return (int) fd;
        }
    }

    /** Sends bytes with any number of descriptors. */
    public static long send(int socket, MemorySegment bytes, int... passed) {
        try (Arena arena = Arena.ofConfined()) {
            // struct iovec, struct cmsghdr with its data, struct msghdr
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(ValueLayout.JAVA_LONG, 0, bytes.address());
            vector.set(ValueLayout.JAVA_LONG, 8, bytes.byteSize());
            long length = 16 + 4L * passed.length;
            MemorySegment control = arena.allocate(length + 8, 8);
            control.set(ValueLayout.JAVA_LONG, 0, length);
            control.set(ValueLayout.JAVA_INT, 8, SOL_SOCKET);
            control.set(ValueLayout.JAVA_INT, 12, SCM_RIGHTS);
            MemorySegment.copy(passed, 0, control, ValueLayout.JAVA_INT, 16, passed.length);
            MemorySegment message = arena.allocate(56, 8);
            message.set(ValueLayout.JAVA_LONG, 16, vector.address());
            message.set(ValueLayout.JAVA_LONG, 24, 1);
            message.set(ValueLayout.JAVA_LONG, 32, control.address());
            message.set(ValueLayout.JAVA_LONG, 40, passed.length == 0 ? 0 : length);
            return KernelCalls.call(SYS_SENDMSG, socket, message.address(), 0, 0, 0, 0);
        }
    }

    public static long resize(int fd, long bytes) {
        return KernelCalls.call(SYS_FTRUNCATE, fd, bytes, 0, 0, 0, 0);
    }

    /**
     * Returns the offset of the first written page at or after an offset, or a negative number if
     * there is none.
     */
    public static long nextWritten(int fd, long offset) {
        return KernelCalls.call(SYS_LSEEK, fd, offset, SEEK_DATA, 0, 0, 0);
    }

    public static long seal(int fd, int seals) {
        return KernelCalls.call(SYS_FCNTL, fd, F_ADD_SEALS, seals, 0, 0, 0);
    }

    /** Sets the limit of this process for the length of files. Returns the old limit. */
    public static long limitFileBytes(long count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limits = arena.allocate(16, 8);
            long got = KernelCalls.call(SYS_GETRLIMIT, RLIMIT_FSIZE, limits.address(), 0, 0, 0, 0);
            long before = limits.get(ValueLayout.JAVA_LONG, 0);
            limits.set(ValueLayout.JAVA_LONG, 0, count);
            long set = KernelCalls.call(SYS_SETRLIMIT, RLIMIT_FSIZE, limits.address(), 0, 0, 0, 0);
            KernelException.check(Math.min(got, set), "no-limit", "setrlimit", "file length", "");
            return before;
        }
    }
}
