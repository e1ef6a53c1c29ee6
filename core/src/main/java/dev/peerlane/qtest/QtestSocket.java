package dev.peerlane.qtest;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.hal.parts.OwnerThread;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A client of QEMU's qtest protocol: each command is one line and each answer is one line, in
 * order. Addresses are guest physical addresses.
 *
 * <p>Every wait is bounded. A wrong answer, an early end or a timeout throws a {@link
 * PeerlaneException}. After that the socket can't be used any more, because a late answer would be
 * taken for the next command's. Used by the thread that created the socket.
 */
final class QtestSocket implements AutoCloseable {
    /** How long to wait for an answer by default. */
    static final long DEFAULT_TIMEOUT_NANOS = 10_000_000_000L;

    /** The maximum number of posted writes without an answer. */
    static final int MAX_PENDING = 64;

    private static final int BUFFER_BYTES = 1 << 17;
    private static final int BULK_BYTES = 3 << 14;
    private static final int FILL_BYTES = 1 << 20;
    private static final long SPIN_NANOS = 50_000;
    private static final int SHOWN_CHARACTERS = 60;
    private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);
    private static final String RESTART = "Restart QEMU and attach again";

    private final String name;
    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final long timeoutNanos;
    private final Runnable idle;
    private final OwnerThread owner = new OwnerThread();
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private int head;
    private int scanned;
    private int tail;
    private int lineEnd;
    private int pending;
    private long pendingSinceNanos;
    private @Nullable PeerlaneException broken;

    private QtestSocket(
            String name,
            SocketChannel channel,
            Selector selector,
            SelectionKey key,
            long timeoutNanos,
            Runnable idle) {
        this.name = name;
        this.channel = channel;
        this.selector = selector;
        this.key = key;
        this.timeoutNanos = timeoutNanos;
        this.idle = idle;
    }

    /**
     * Connects and checks that a qtest server answers.
     *
     * @throws PeerlaneException of category MACHINE if nothing listens there or the server isn't
     *     qtest
     */
    static QtestSocket connect(Path path, long timeoutNanos) {
        return connect(path, timeoutNanos, Thread::onSpinWait);
    }

    /**
     * Connects like {@link #connect(Path, long)}, and calls {@code idle} while it waits for an
     * answer.
     */
    @SuppressWarnings("MustBeClosedChecker")
    static QtestSocket connect(Path path, long timeoutNanos, Runnable idle) {
        SocketChannel channel = null;
        Selector selector = null;
        QtestSocket socket;
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.configureBlocking(false); // so that a full queue is an error instead of a wait
            channel.connect(UnixDomainSocketAddress.of(path));
            selector = Selector.open();
            SelectionKey key = channel.register(selector, 0);
            socket = new QtestSocket(path.toString(), channel, selector, key, timeoutNanos, idle);
        } catch (IOException | IllegalArgumentException e) {
            closeQuietly(selector);
            closeQuietly(channel);
            throw new PeerlaneException(
                    Category.MACHINE,
                    "qtest-unreachable",
                    "no QEMU accepts a connection at the qtest socket %s: %s"
                            .formatted(path, e.getMessage()),
                    "Start QEMU with -qtest unix:PATH,server=on,wait=off and name that path",
                    e);
        }
        try {
            socket.hello();
        } catch (PeerlaneException e) {
            socket.close();
            throw e;
        }
        return socket;
    }

    private void hello() {
        begin("endianness");
        String answer = finish("endianness");
        if (!answer.equals("OK little")) {
            throw fail(
                    "qtest-answer",
                    "it answered '%s' to 'endianness' instead of 'OK little'".formatted(answer),
                    "Name the qtest socket of an x86-64 QEMU, not its monitor or QMP socket",
                    null);
        }
    }

    /** Stores 4 bytes to an I/O port. */
    void outl(int port, int value) {
        begin("outl");
        argument(port);
        argument(Integer.toUnsignedLong(value));
        finishOk("outl");
    }

    /** Loads 4 bytes from an I/O port. */
    int inl(int port) {
        begin("inl");
        argument(port);
        return (int) finishValue("inl", 0xffff_ffffL);
    }

    /** Stores 2 bytes. */
    void writew(long address, int value) {
        begin("writew");
        argument(address);
        argument(value & 0xffff);
        finishOk("writew");
    }

    /** Stores 4 bytes. */
    void writel(long address, int value) {
        begin("writel");
        argument(address);
        argument(Integer.toUnsignedLong(value));
        finishOk("writel");
    }

    /** Stores 8 bytes. */
    void writeq(long address, long value) {
        begin("writeq");
        argument(address);
        argument(value);
        finishOk("writeq");
    }

    /** Loads 4 bytes. */
    int readl(long address) {
        begin("readl");
        argument(address);
        return (int) finishValue("readl", 0xffff_ffffL);
    }

    /** Loads 8 bytes. */
    long readq(long address) {
        begin("readq");
        argument(address);
        return finishValue("readq", -1L);
    }

    /**
     * Stores 4 bytes without waiting for the answer, ordered after everything that this thread
     * stored before. A failure shows at a later call. At most {@link #MAX_PENDING} answers are
     * outstanding.
     */
    void postl(long address, int value) {
        checkUsable();
        if (pending >= MAX_PENDING) {
            settle();
        }
        out.clear();
        verb("writel");
        argument(address);
        argument(Integer.toUnsignedLong(value));
        if (pending == 0) {
            pendingSinceNanos = System.nanoTime();
        }
        send("writel");
        pending++;
    }

    /** Loads bytes in bulk. QEMU splits them into accesses that the device accepts. */
    void read(long address, MemorySegment target) {
        for (long at = 0; at < target.byteSize(); at += BULK_BYTES) {
            int bytes = (int) Math.min(BULK_BYTES, target.byteSize() - at);
            begin("b64read");
            argument(address + at);
            argument(bytes);
            String answer = finish("b64read");
            byte[] data = decode(answer);
            if (data == null || data.length != bytes) {
                throw wrongAnswer("b64read", answer);
            }
            MemorySegment.copy(MemorySegment.ofArray(data), 0, target, at, bytes);
        }
    }

    /** Stores bytes in bulk. QEMU splits them into accesses that the device accepts. */
    void write(long address, MemorySegment source) {
        byte[] data = new byte[(int) Math.min(BULK_BYTES, source.byteSize())];
        for (long at = 0; at < source.byteSize(); at += BULK_BYTES) {
            int bytes = (int) Math.min(BULK_BYTES, source.byteSize() - at);
            MemorySegment.copy(source, at, MemorySegment.ofArray(data), 0, bytes);
            begin("b64write");
            argument(address + at);
            argument(bytes);
            out.put((byte) ' ');
            out.put(Base64.getEncoder().encode(ByteBuffer.wrap(data, 0, bytes)));
            finishOk("b64write");
        }
    }

    /** Stores the same byte repeatedly. */
    void fill(long address, long bytes, int value) {
        for (long at = 0; at < bytes; at += FILL_BYTES) {
            begin("memset");
            argument(address + at);
            argument(Math.min(FILL_BYTES, bytes - at));
            argument(value & 0xff);
            finishOk("memset");
        }
    }

    /** Takes the answers to posted writes that have arrived. Does not wait. */
    void drain() {
        checkOwner();
        if (pending == 0) {
            return;
        }
        checkUsable();
        receive("writel");
        while (pending > 0 && findLine()) {
            takePosted();
        }
        if (pending > 0 && System.nanoTime() - pendingSinceNanos > timeoutNanos) {
            throw silence("writel");
        }
    }

    /** Waits until every posted write has been answered. */
    void settle() {
        while (pending > 0) {
            awaitLine("writel", System.nanoTime());
            takePosted();
        }
    }

    /** Returns whether the socket can still be used. */
    boolean usable() {
        return broken == null && channel.isOpen();
    }

    /** Disconnects. QEMU then waits for its next client. Closing again has no effect. */
    @Override
    public void close() {
        closeQuietly(selector);
        closeQuietly(channel);
    }

    private void begin(String verb) {
        checkUsable();
        settle();
        out.clear();
        verb(verb);
    }

    private void verb(String verb) {
        for (int i = 0; i < verb.length(); i++) {
            out.put((byte) verb.charAt(i));
        }
    }

    private void argument(long value) {
        out.put((byte) ' ').put((byte) '0').put((byte) 'x');
        int shift = (63 - Long.numberOfLeadingZeros(value | 1)) & ~3;
        for (; shift >= 0; shift -= 4) {
            out.put(HEX[(int) (value >>> shift) & 0xf]);
        }
    }

    private void finishOk(String verb) {
        String answer = finish(verb);
        if (!answer.equals("OK")) {
            throw wrongAnswer(verb, answer);
        }
    }

    private long finishValue(String verb, long mask) {
        String answer = finish(verb);
        if (!answer.matches("OK 0x[0-9a-fA-F]{1,16}")) {
            throw wrongAnswer(verb, answer);
        }
        long value = Long.parseUnsignedLong(answer.substring(5), 16);
        if ((value & ~mask) != 0) {
            throw wrongAnswer(verb, answer);
        }
        return value;
    }

    private String finish(String verb) {
        send(verb);
        awaitLine(verb, System.nanoTime());
        return takeLine();
    }

    private void send(String verb) {
        out.put((byte) '\n').flip();
        // earlier stores to RAM must be visible before the device sees this message
        VarHandle.releaseFence();
        long start = System.nanoTime();
        try {
            while (out.hasRemaining()) {
                if (channel.write(out) == 0) {
                    await(SelectionKey.OP_WRITE, verb, start);
                }
            }
        } catch (IOException e) {
            throw ended(verb, e);
        }
    }

    private void awaitLine(String verb, long start) {
        while (!findLine()) {
            long waited = System.nanoTime() - start;
            if (receive(verb)) {
                if (waited > timeoutNanos) { // endless interrupt lines must not extend the wait
                    throw silence(verb);
                }
                continue;
            }
            idle.run();
            if (waited < SPIN_NANOS) {
                continue;
            }
            try {
                await(SelectionKey.OP_READ, verb, start);
            } catch (IOException e) {
                throw ended(verb, e);
            }
        }
    }

    private void await(int operation, String verb, long start) throws IOException {
        long left = timeoutNanos - (System.nanoTime() - start);
        if (left <= 0) {
            throw silence(verb);
        }
        key.interestOps(operation);
        selector.select(Math.max(1, left / 1_000_000));
        selector.selectedKeys().clear();
    }

    /** Reads what has arrived. Returns whether there was anything. */
    private boolean receive(String verb) {
        if (head == tail) {
            head = scanned = tail = 0;
        } else if (tail == in.capacity()) {
            in.limit(tail).position(head);
            in.compact();
            tail -= head;
            scanned -= head;
            head = 0;
        }
        if (tail == in.capacity()) {
            throw wrongAnswer(verb, text(head, tail));
        }
        int bytes;
        try {
            bytes = channel.read(in.limit(in.capacity()).position(tail));
        } catch (IOException e) {
            throw ended(verb, e);
        }
        if (bytes < 0) {
            throw ended(verb, null);
        }
        tail += bytes;
        return bytes > 0;
    }

    /** Searches for a complete line from {@code head} on, skipping interrupt lines. */
    private boolean findLine() {
        for (; scanned < tail; scanned++) {
            if (in.get(scanned) != '\n') {
                continue;
            }
            lineEnd = scanned;
            if (lineEnd - head < 4 || !text(head, head + 4).equals("IRQ ")) {
                return true;
            }
            head = lineEnd + 1;
        }
        return false;
    }

    private String takeLine() {
        String line = text(head, lineEnd);
        scanned = head = lineEnd + 1;
        return line;
    }

    private void takePosted() {
        boolean ok = lineEnd - head == 2 && in.get(head) == 'O' && in.get(head + 1) == 'K';
        if (!ok) {
            throw wrongAnswer("writel", takeLine());
        }
        scanned = head = lineEnd + 1;
        pending--;
        pendingSinceNanos = System.nanoTime();
    }

    private String text(int from, int to) {
        byte[] bytes = new byte[to - from];
        in.get(from, bytes);
        return new String(bytes, US_ASCII);
    }

    private static byte @Nullable [] decode(String answer) {
        if (!answer.startsWith("OK ")) {
            return null;
        }
        try {
            return Base64.getDecoder().decode(answer.substring(3));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Returns the name for messages. */
    @Override
    public String toString() {
        return "the qtest socket " + name;
    }

    /** Checks that the calling thread is the one that connected. */
    void checkOwner() {
        owner.check(this);
    }

    private void checkUsable() {
        owner.check(this);
        if (broken != null) {
            throw new PeerlaneException(
                    Category.IO, broken.code(), message(broken), broken.remedy(), broken);
        }
        if (!channel.isOpen()) {
            throw new IllegalStateException("the qtest socket " + name + " is closed");
        }
    }

    private static String message(PeerlaneException e) {
        return String.valueOf(e.getMessage());
    }

    private PeerlaneException wrongAnswer(String verb, String answer) {
        String shown = answer.length() > SHOWN_CHARACTERS ? answer.substring(0, 60) + "…" : answer;
        return fail(
                "qtest-answer", "it answered '%s' to '%s'".formatted(shown, verb), RESTART, null);
    }

    private PeerlaneException silence(String verb) {
        return fail(
                "qtest-timeout",
                "it gave no answer to '%s' within %d ms".formatted(verb, timeoutNanos / 1_000_000),
                "See that no other client holds the socket and that QEMU is not stuck",
                null);
    }

    private PeerlaneException ended(String verb, @Nullable IOException cause) {
        return fail(
                "qtest-closed", "it closed the connection at '%s'".formatted(verb), RESTART, cause);
    }

    private PeerlaneException fail(
            String code, String what, String remedy, @Nullable IOException cause) {
        broken =
                new PeerlaneException(
                        Category.IO, code, "qtest socket " + name + ": " + what, remedy, cause);
        return broken;
    }

    private static void closeQuietly(@Nullable AutoCloseable closeable) {
        if (closeable != null) {
            try {
                closeable.close();
            } catch (Exception e) {
                // nothing is lost: every answer that mattered was awaited before
            }
        }
    }
}
