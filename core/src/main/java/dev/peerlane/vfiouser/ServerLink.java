package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PendingLoad;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.UnixSocket;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests to one server: one at a time, each with its reply and within a time limit. After
 * the first failure of the connection nothing more is sent.
 */
final class ServerLink implements AutoCloseable {
    private static final String CAPABILITIES =
            "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":4096}}";

    private final OwnerThread thread = new OwnerThread();
    private final String locator;
    private final Clock clock;
    private final long timeoutNanos;
    private final Channel channel;
    private @Nullable LateRead lateRead;
    private int lastId;
    private BooleanSupplier intact = () -> true;
    private boolean dead;
    private boolean used;

    private ServerLink(String locator, Clock clock, long timeoutNanos, Channel channel) {
        this.locator = locator;
        this.clock = clock;
        this.timeoutNanos = timeoutNanos;
        this.channel = channel;
    }

    /** Connects to a server and negotiates the version. */
    static ServerLink connect(String locator, String path, Clock clock, long timeoutNanos) {
        UnixSocket socket = UnixSocket.create();
        ServerLink link =
                new ServerLink(locator, clock, timeoutNanos, new Channel(socket, locator));
        try {
            long[] result = {0};
            clock.await(
                    () -> {
                        result[0] = socket.connect(path);
                        return result[0] != -Errno.EAGAIN;
                    },
                    timeoutNanos);
            KernelException.check(
                    result[0],
                    "vfio-user-not-connected",
                    "connect",
                    locator,
                    "See that a server listens there");
            link.negotiate();
            return link;
        } catch (RuntimeException e) {
            link.close();
            throw e;
        }
    }

    private void negotiate() {
        MemorySegment body = channel.outgoing();
        byte[] text = CAPABILITIES.getBytes(StandardCharsets.US_ASCII);
        body.set(JAVA_SHORT_UNALIGNED, 0, (short) Protocol.MAJOR);
        body.set(JAVA_SHORT_UNALIGNED, 2, (short) Protocol.MINOR);
        MemorySegment.copy(text, 0, body, JAVA_BYTE, 4, text.length);
        body.set(JAVA_BYTE, 4L + text.length, (byte) 0);
        MemorySegment answer = call(Protocol.VERSION, 5L + text.length, 4);
        int major = Short.toUnsignedInt(answer.get(JAVA_SHORT_UNALIGNED, 0));
        if (major != Protocol.MAJOR) {
            throw fail(
                    Protocol.violation(locator, "it has version %d of it, not 0".formatted(major)));
        }
    }

    /** Returns the buffer for the next request's body. */
    MemorySegment outgoing() {
        checkConnected();
        return channel.outgoing();
    }

    /** Returns the descriptors of the last reply, of which the caller takes ownership. */
    int[] takeDescriptors() {
        return channel.takeDescriptors();
    }

    boolean isDead() {
        return dead;
    }

    /**
     * Sets a check that runs before each register access.
     *
     * @param whole tells whether the server's files are still intact; if not, the device counts as
     *     gone
     */
    void watch(BooleanSupplier whole) {
        intact = whole;
    }

    private boolean isGone() {
        if (!dead && !intact.getAsBoolean()) {
            close();
        }
        return dead;
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @param bodyBytes length of the request's body in {@link #outgoing}
     * @param answerBytes minimum length of the reply's body
     * @return the reply's body, valid until the next request
     * @throws PeerlaneException if the server refuses the request, does not reply in time, or
     *     violates the protocol; of category IO if that ends the connection to a device in use
     */
    MemorySegment call(int command, long bodyBytes, long answerBytes, int... descriptors) {
        thread.check(locator);
        finishLateRead();
        checkConnected();
        try {
            begin(command, bodyBytes, descriptors);
            if (!clock.await(() -> channel.flush() && channel.receive(), timeoutNanos)) {
                throw unanswered(command);
            }
        } catch (PeerlaneException e) {
            throw fail(e);
        }
        return answer(command, answerBytes);
    }

    private void begin(int command, long bodyBytes, int... descriptors) {
        channel.next();
        lastId = (lastId + 1) & 0xffff;
        channel.send(lastId, command, 0, 0, bodyBytes, descriptors);
    }

    private PeerlaneException unanswered(int command) {
        return PeerlaneException.machine(
                "vfio-user-timeout",
                "%s has not answered request %d in %d ms"
                        .formatted(locator, command, timeoutNanos / 1_000_000),
                "See whether its process is busy, or another client uses the device");
    }

    /**
     * Returns the body of the received message. Throws unless it is the reply to the last request.
     */
    private MemorySegment answer(int command, long answerBytes) {
        checkHeader(command);
        if ((channel.flags() & Protocol.ERROR) != 0) {
            if (command == Protocol.VERSION && channel.errno() == Errno.EBUSY) {
                throw taken();
            }
            throw PeerlaneException.machine(
                    "vfio-user-refused",
                    "%s refuses request %d with %s"
                            .formatted(locator, command, Errno.text(channel.errno())),
                    "Look at what the server says");
        }
        MemorySegment body = channel.body();
        if (body.byteSize() < answerBytes) {
            throw fail(
                    Protocol.violation(
                            locator,
                            "the answer to request %d has %d bytes, not %d"
                                    .formatted(command, body.byteSize(), answerBytes)));
        }
        return body;
    }

    private PeerlaneException taken() {
        OptionalLong seconds = Protocol.takenSeconds(channel.body());
        return PeerlaneException.machine(
                "vfio-user-busy",
                "%s is in use: its server says that another client has %s"
                        .formatted(
                                locator,
                                seconds.isEmpty()
                                        ? "it"
                                        : "had it for %d s".formatted(seconds.getAsLong())),
                "Wait until the other client is done, or end it");
    }

    private void checkConnected() {
        if (dead) {
            throw lost(
                    PeerlaneException.machine(
                            "vfio-user-gone",
                            locator + " is no longer connected after an earlier failure",
                            "Open it again"));
        }
    }

    private void checkHeader(int command) {
        boolean reply = (channel.flags() & Protocol.TYPE_MASK) == Protocol.REPLY;
        if (!reply || channel.id() != lastId || channel.command() != command) {
            throw fail(
                    Protocol.violation(
                            locator,
                            "message %d of command %d came, not the answer %d to %d"
                                    .formatted(channel.id(), channel.command(), lastId, command)));
        }
    }

    /** Reads 1 to 8 bytes of a region. Returns all ones if the device is gone. */
    long read(int region, long offset, int count) {
        thread.check(locator);
        if (isGone()) {
            return -1;
        }
        access(region, offset, count);
        MemorySegment answer =
                call(
                        Protocol.REGION_READ,
                        Protocol.REGION_ACCESS_BYTES,
                        Protocol.REGION_ACCESS_BYTES + count);
        return valueOf(answer, region, offset, count);
    }

    private long valueOf(MemorySegment answer, int region, long offset, int count) {
        int got = answer.get(JAVA_INT_UNALIGNED, 12);
        if (got != count) {
            throw fail(
                    Protocol.violation(
                            locator,
                            "it reads %d bytes of region %d at 0x%x, not %d"
                                    .formatted(got, region, offset, count)));
        }
        long value = 0;
        for (int i = count - 1; i >= 0; i--) {
            value = (value << 8) | (answer.get(JAVA_BYTE, 16L + i) & 0xff);
        }
        return value;
    }

    /** Sends a request to read 4 bytes of a region, and returns without waiting for the reply. */
    PendingLoad startRead(int region, long offset) {
        thread.check(locator);
        finishLateRead();
        if (isGone()) {
            return PendingLoad.done(-1);
        }
        access(region, offset, LateRead.BYTES);
        try {
            begin(Protocol.REGION_READ, Protocol.REGION_ACCESS_BYTES);
            if (!clock.await(channel::flush, timeoutNanos)) { // all: the buffer is reused
                throw unanswered(Protocol.REGION_READ);
            }
        } catch (PeerlaneException e) {
            throw fail(e);
        }
        LateRead read = new LateRead(region, offset);
        lateRead = read;
        return read;
    }

    /** Waits for the reply to an unfinished read, since only one request may be outstanding. */
    private void finishLateRead() {
        LateRead late = lateRead;
        if (late != null) {
            clock.await(late::isDone, timeoutNanos);
        }
    }

    /** A read whose reply is polled. The next request waits for it. */
    private final class LateRead extends PendingLoad {
        private static final int BYTES = 4;

        private final int region;
        private final long offset;
        private final long sentNanos = clock.nanoTime();
        private boolean done;
        private int value = -1;

        LateRead(int region, long offset) {
            this.region = region;
            this.offset = offset;
        }

        @Override
        public boolean isDone() {
            thread.check(locator);
            if (done || dead) {
                return true;
            }
            try {
                if (!channel.receive()) {
                    if (clock.nanoTime() - sentNanos >= timeoutNanos) {
                        throw unanswered(Protocol.REGION_READ);
                    }
                    return false;
                }
            } catch (PeerlaneException e) {
                throw fail(e);
            }
            done = true;
            lateRead = null;
            long answerBytes = Protocol.REGION_ACCESS_BYTES + BYTES;
            MemorySegment answer = answer(Protocol.REGION_READ, answerBytes);
            value = (int) valueOf(answer, region, offset, BYTES);
            return true;
        }

        @Override
        public int value() {
            return value;
        }
    }

    /** Writes 1 to 8 bytes of a region. Does nothing if the device is gone. */
    void write(int region, long offset, int count, long value) {
        thread.check(locator);
        if (isGone()) {
            return;
        }
        access(region, offset, count);
        for (int i = 0; i < count; i++) {
            outgoing().set(JAVA_BYTE, 16L + i, (byte) (value >>> (8 * i)));
        }
        call(Protocol.REGION_WRITE, Protocol.REGION_ACCESS_BYTES + count, 0);
    }

    private void access(int region, long offset, int count) {
        outgoing().set(JAVA_LONG_UNALIGNED, 0, offset);
        outgoing().set(JAVA_INT_UNALIGNED, 8, region);
        outgoing().set(JAVA_INT_UNALIGNED, 12, count);
    }

    /** Maps a part of a file at a bus address, for DMA of the device. */
    void mapDma(int fd, long offset, long busAddress, long bytes) {
        thread.check(locator);
        MemorySegment body = outgoing();
        body.set(JAVA_INT_UNALIGNED, 0, Protocol.DMA_MAP_BYTES);
        body.set(JAVA_INT_UNALIGNED, 4, Protocol.DMA_READ_WRITE);
        body.set(JAVA_LONG_UNALIGNED, 8, offset);
        body.set(JAVA_LONG_UNALIGNED, 16, busAddress);
        body.set(JAVA_LONG_UNALIGNED, 24, bytes);
        call(Protocol.DMA_MAP, Protocol.DMA_MAP_BYTES, 0, fd);
    }

    /** Removes a DMA mapping. Does nothing if the device is gone. */
    void unmapDma(long busAddress, long bytes) {
        thread.check(locator);
        if (dead) {
            return;
        }
        MemorySegment body = outgoing();
        body.set(JAVA_INT_UNALIGNED, 0, Protocol.DMA_UNMAP_BYTES);
        body.set(JAVA_INT_UNALIGNED, 4, 0);
        body.set(JAVA_LONG_UNALIGNED, 8, busAddress);
        body.set(JAVA_LONG_UNALIGNED, 16, bytes);
        call(Protocol.DMA_UNMAP, Protocol.DMA_UNMAP_BYTES, 0);
    }

    /** Records that the device is in use: from now on, losing the connection is an I/O error. */
    void inUse() {
        used = true;
    }

    private PeerlaneException fail(PeerlaneException problem) {
        close();
        return lost(problem);
    }

    private PeerlaneException lost(PeerlaneException problem) {
        return used
                ? new PeerlaneException(
                        PeerlaneException.Category.IO,
                        problem.code(),
                        Objects.requireNonNull(problem.getMessage()),
                        problem.remedy(),
                        problem)
                : problem;
    }

    @Override
    public void close() {
        if (!dead) {
            dead = true;
            channel.close();
        }
    }
}
