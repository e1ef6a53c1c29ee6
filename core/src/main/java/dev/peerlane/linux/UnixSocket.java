package dev.peerlane.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * A UNIX stream socket that carries descriptors as well as bytes. No call blocks except {@link
 * #await}; a call that would block returns -{@link Errno#EAGAIN}. Each call returns a result or a
 * negated error number, as those of {@link Kernel} do. A socket belongs to one thread.
 */
public final class UnixSocket implements AutoCloseable {
    /** Longest path of a socket in bytes. */
    public static final int MAX_PATH_BYTES = 107;

    /** Most descriptors that one message can carry. */
    public static final int MAX_DESCRIPTORS = 8;

    // System call numbers of x86-64: arch/x86/entry/syscalls/syscall_64.tbl
    private static final long SYS_POLL = 7;
    private static final long SYS_SOCKET = 41;
    private static final long SYS_CONNECT = 42;
    private static final long SYS_SENDMSG = 46;
    private static final long SYS_RECVMSG = 47;
    private static final long SYS_BIND = 49;
    private static final long SYS_LISTEN = 50;
    private static final long SYS_ACCEPT4 = 288;

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;
    private static final int MSG_CTRUNC = 8;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final short POLLIN = 1;
    private static final short POLLHUP = 0x10;
    private static final int POLLFD_REVENTS = 6;

    // struct msghdr, struct iovec and struct cmsghdr of x86-64
    private static final long MSG_IOV = 16;
    private static final long MSG_IOVLEN = 24;
    private static final long MSG_CONTROL = 32;
    private static final long MSG_CONTROLLEN = 40;
    private static final long MSG_FLAGS = 48;
    private static final long MSG_BYTES = 56;
    private static final long CMSG_LEVEL = 8;
    private static final long CMSG_TYPE = 12;
    private static final long CMSG_DATA = 16;
    private static final long CONTROL_BYTES = CMSG_DATA + 4 * MAX_DESCRIPTORS;

    private static final int[] NONE = {};

    private final int fd;
    private final Arena arena = Arena.ofConfined(); // not ofAuto: freed too late
    private final MemorySegment message;
    private final MemorySegment vector;
    private final MemorySegment control;
    private final int[] descriptors = new int[MAX_DESCRIPTORS];
    private int descriptorCount;
    private boolean closed;

    private UnixSocket(int fd) {
        this.fd = fd;
        message = arena.allocate(MSG_BYTES, 8);
        vector = arena.allocate(16, 8);
        control = arena.allocate(CONTROL_BYTES, 8);
        message.set(JAVA_LONG, MSG_IOV, vector.address());
        message.set(JAVA_LONG, MSG_IOVLEN, 1);
    }

    /**
     * Creates an unconnected socket.
     *
     * @throws KernelException if the kernel can't create one
     */
    public static UnixSocket create() {
        long fd =
                KernelCalls.call(
                        SYS_SOCKET,
                        AF_UNIX,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        0,
                        0,
                        0,
                        0);
        KernelException.check(
                fd, "no-socket", "socket", "a UNIX socket", "See how many files are open");
        return new UnixSocket((int) fd);
    }

    /** Connects to a path. Returns -EAGAIN if the listener's backlog is full. */
    public long connect(String path) {
        return named(SYS_CONNECT, path);
    }

    /** Binds the socket to a path, and creates its file. */
    public long bind(String path) {
        return named(SYS_BIND, path);
    }

    private long named(long call, String path) {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length > MAX_PATH_BYTES) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            // struct sockaddr_un: family, path, terminating zero
            MemorySegment address = arena.allocate(2 + MAX_PATH_BYTES + 1, 2);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, JAVA_BYTE, 2, name.length);
            return KernelCalls.call(call, fd, address.address(), 2 + name.length + 1L, 0, 0, 0);
        }
    }

    /** Starts listening for connections. */
    public long listen(int backlog) {
        return KernelCalls.call(SYS_LISTEN, fd, backlog, 0, 0, 0, 0);
    }

    /** Accepts a connection. Returns its descriptor, for {@link #of}. */
    public long accept() {
        return KernelCalls.call(SYS_ACCEPT4, fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC, 0, 0);
    }

    /**
     * Returns the socket of a descriptor that {@link #accept} returned. The socket takes ownership.
     */
    public static UnixSocket of(long descriptor) {
        return new UnixSocket((int) descriptor);
    }

    /** Returns the socket's descriptor. */
    public int descriptor() {
        return fd;
    }

    /**
     * Sends bytes, with descriptors attached to the first of them. Returns the number of bytes
     * sent.
     *
     * @param passed at most {@link #MAX_DESCRIPTORS} descriptors; the caller keeps ownership
     */
    public long send(MemorySegment bytes, int... passed) {
        return send(bytes, 0, bytes.byteSize(), passed);
    }

    /**
     * Sends a part of a segment as {@link #send(MemorySegment, int...)} does. Allocates nothing.
     */
    public long send(MemorySegment bytes, long offset, long count, int[] passed) {
        Objects.checkFromIndexSize(offset, count, bytes.byteSize());
        vector.set(JAVA_LONG, 0, KernelCalls.address(bytes) + offset);
        vector.set(JAVA_LONG, 8, count);
        long length = passed.length == 0 ? 0 : CMSG_DATA + 4L * passed.length;
        if (length > 0) {
            control.set(JAVA_LONG, 0, length);
            control.set(JAVA_INT, CMSG_LEVEL, SOL_SOCKET);
            control.set(JAVA_INT, CMSG_TYPE, SCM_RIGHTS);
            MemorySegment.copy(passed, 0, control, JAVA_INT, CMSG_DATA, passed.length);
        }
        message.set(JAVA_LONG, MSG_CONTROL, length > 0 ? control.address() : 0);
        message.set(JAVA_LONG, MSG_CONTROLLEN, length);
        return KernelCalls.again(
                SYS_SENDMSG, fd, message.address(), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
    }

    /**
     * Receives bytes. Returns their number, 0 at the end of the connection. Descriptors that came
     * with them are in {@link #takeDescriptors} until the next call. If more than {@link
     * #MAX_DESCRIPTORS} came, all are closed and the result is -{@link Errno#EMSGSIZE}.
     */
    public long receive(MemorySegment target) {
        return receive(target, 0, target.byteSize());
    }

    /**
     * Receives into a part of a segment as {@link #receive(MemorySegment)} does. Allocates nothing.
     */
    public long receive(MemorySegment target, long offset, long count) {
        Objects.checkFromIndexSize(offset, count, target.byteSize());
        vector.set(JAVA_LONG, 0, KernelCalls.address(target) + offset);
        vector.set(JAVA_LONG, 8, count);
        message.set(JAVA_LONG, MSG_CONTROL, control.address());
        message.set(JAVA_LONG, MSG_CONTROLLEN, CONTROL_BYTES);
        descriptorCount = 0;
        long result =
                KernelCalls.again(
                        SYS_RECVMSG,
                        fd,
                        message.address(),
                        MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
                        0,
                        0,
                        0);
        if (result < 0) {
            return result;
        }
        long length = message.get(JAVA_LONG, MSG_CONTROLLEN) == 0 ? 0 : control.get(JAVA_LONG, 0);
        boolean rights =
                length > CMSG_DATA
                        && length <= CONTROL_BYTES
                        && control.get(JAVA_INT, CMSG_LEVEL) == SOL_SOCKET
                        && control.get(JAVA_INT, CMSG_TYPE) == SCM_RIGHTS;
        if (rights) {
            descriptorCount = (int) ((length - CMSG_DATA) / 4);
            MemorySegment.copy(control, JAVA_INT, CMSG_DATA, descriptors, 0, descriptorCount);
        }
        if ((message.get(JAVA_INT, MSG_FLAGS) & MSG_CTRUNC) != 0) {
            for (int passed : takeDescriptors()) {
                KernelCalls.instance().close(passed);
            }
            return -Errno.EMSGSIZE;
        }
        return result;
    }

    /** Returns the descriptors that came with the last bytes. The caller takes ownership. */
    public int[] takeDescriptors() {
        if (descriptorCount == 0) {
            return NONE;
        }
        int[] taken = Arrays.copyOf(descriptors, descriptorCount);
        descriptorCount = 0;
        return taken;
    }

    /** Waits until one of some descriptors is readable or the timeout is over. */
    public static long await(int[] waiting, int timeoutMillis) {
        try (Arena arena = Arena.ofConfined()) {
            // struct pollfd: int fd, short events, short revents
            MemorySegment entries = arena.allocate(8L * Math.max(1, waiting.length), 4);
            for (int i = 0; i < waiting.length; i++) {
                entries.set(JAVA_INT, 8L * i, waiting[i]);
                entries.set(JAVA_SHORT, 8L * i + 4, POLLIN);
            }
            return KernelCalls.call(
                    SYS_POLL, entries.address(), waiting.length, timeoutMillis, 0, 0, 0);
        }
    }

    /**
     * Returns whether the peer has closed the connection. Bytes that it sent before may still be
     * unread.
     */
    public boolean isHungUp() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entry = arena.allocate(8, 4);
            entry.set(JAVA_INT, 0, fd);
            long ready = KernelCalls.call(SYS_POLL, entry.address(), 1, 0, 0, 0, 0);
            return ready == 1 && (entry.get(JAVA_SHORT, POLLFD_REVENTS) & POLLHUP) != 0;
        }
    }

    /**
     * Closes the socket. Descriptors that were received and not taken stay open. Closing again has
     * no effect.
     */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            arena.close();
            KernelCalls.instance().close(fd);
        }
    }
}
