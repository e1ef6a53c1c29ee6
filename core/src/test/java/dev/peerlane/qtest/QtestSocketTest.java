package dev.peerlane.qtest;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the client of the qtest protocol against a server that lies, hangs up or stays silent. */
@Timeout(30)
class QtestSocketTest {
    private static final long SHORT_NANOS = 50_000_000;
    private static final long LONG_NANOS = 20_000_000_000L;

    @TempDir private Path directory;

    private void with(
            long timeoutNanos, Function<String, @Nullable String> script, Consumer<QtestSocket> use)
            throws Exception {
        try (FakeServer server = new FakeServer(directory, script);
                QtestSocket socket = QtestSocket.connect(server.path(), timeoutNanos)) {
            use.accept(socket);
        }
    }

    private static Function<String, @Nullable String> answers(String... answers) {
        Deque<String> left = new ArrayDeque<>(Arrays.asList(answers));
        return line -> left.isEmpty() ? null : left.removeFirst();
    }

    private static void failsWith(String code, Runnable action) {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(action::run)
                .satisfies(e -> assertThat(e.code()).isEqualTo(code))
                .satisfies(e -> assertThat(e.category()).isEqualTo(Category.IO))
                .satisfies(e -> assertThat(e.remedy()).isNotEmpty());
    }

    @Test
    void absentSocketIsAnErrorOfTheMachine() {
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(
                        () -> QtestSocket.connect(directory.resolve("none"), LONG_NANOS).close())
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-unreachable"))
                .satisfies(e -> assertThat(e.category()).isEqualTo(Category.MACHINE))
                .satisfies(e -> assertThat(e.getMessage()).contains("none"));
    }

    @Test
    void overlongPathIsAnErrorOfTheMachine() {
        Path path = directory.resolve("x".repeat(120));
        assertThatExceptionOfType(PeerlaneException.class)
                .isThrownBy(() -> QtestSocket.connect(path, LONG_NANOS).close())
                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-unreachable"));
    }

    @Test
    void serverOfAnotherProtocolIsRefusedByName() throws Exception {
        try (FakeServer server =
                new FakeServer(directory, true, line -> "{\"QMP\": {\"version\": {}}}\n")) {
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () -> QtestSocket.connect(server.path(), LONG_NANOS).close());
            assertThat(e.code()).isEqualTo("qtest-answer");
            assertThat(e.remedy()).contains("QMP");
        }
    }

    @Test
    void serverThatDoesNotGreetTimesOut() throws Exception {
        try (FakeServer server = new FakeServer(directory, true, line -> "")) {
            failsWith(
                    "qtest-timeout", () -> QtestSocket.connect(server.path(), SHORT_NANOS).close());
        }
    }

    @Test
    void commandsHaveTheFormatOfTheProtocol() throws Exception {
        try (FakeServer server =
                        new FakeServer(
                                directory,
                                line ->
                                        line.startsWith("read") || line.startsWith("inl")
                                                ? "OK 0x00000000ffffffff\n"
                                                : "OK\n");
                QtestSocket socket = QtestSocket.connect(server.path(), LONG_NANOS)) {
            socket.outl(0xcf8, 0x8000_0060);
            assertThat(socket.inl(0xcfc)).isEqualTo(-1);
            socket.writew(0xb000_0004L, 0x1_0006);
            socket.writel(0, 0);
            socket.writeq(0x8_0000_0000L, -1);
            assertThat(socket.readl(0xfed9_0000L)).isEqualTo(-1);
            assertThat(socket.readq(0x10)).isEqualTo(0xffff_ffffL);
            socket.write(0x1000, MemorySegment.ofArray(new byte[] {1, 2, 3, 4}));
            socket.fill(0x2000, (1 << 20) + 5, 0xa5);
            assertThat(server.received())
                    .containsExactly(
                            "outl 0xcf8 0x80000060",
                            "inl 0xcfc",
                            "writew 0xb0000004 0x6",
                            "writel 0x0 0x0",
                            "writeq 0x800000000 0xffffffffffffffff",
                            "readl 0xfed90000",
                            "readq 0x10",
                            "b64write 0x1000 0x4 AQIDBA==",
                            "memset 0x2000 0x100000 0xa5",
                            "memset 0x102000 0x5 0xa5");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "OK",
                "OK 0x",
                "OK 1",
                "OK 0x1ffffffff",
                "OK 0x00000000000000001",
                "OK 0x12 0x34",
                "ok 0x1",
                "FAIL Unknown command 'readl'",
                "ERR invalid",
                ""
            })
    void wrongAnswerToALoadIsATypedErrorThatShowsIt(String answer) throws Exception {
        with(
                LONG_NANOS,
                answers(answer + "\n"),
                socket -> {
                    failsWith("qtest-answer", () -> socket.readl(0x10));
                    assertThat(socket.usable()).isFalse();
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"OK 0x0", "FAIL", "OKAY", "", " OK"})
    void wrongAnswerToAStoreIsATypedError(String answer) throws Exception {
        with(
                LONG_NANOS,
                answers(answer + "\n"),
                socket -> failsWith("qtest-answer", () -> socket.writel(0x10, 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"OK AQID", "OK AQIDBAU=", "OK ????", "OK", "FAIL"})
    void bulkAnswerOfAnotherLengthOrNoBase64IsATypedError(String answer) throws Exception {
        with(
                LONG_NANOS,
                answers(answer + "\n"),
                socket ->
                        failsWith(
                                "qtest-answer",
                                () -> socket.read(0x10, MemorySegment.ofArray(new byte[4]))));
    }

    @Test
    void answerWithoutEndIsCutOff() throws Exception {
        with(
                LONG_NANOS,
                answers("OK 0x" + "0".repeat(300_000)),
                socket -> failsWith("qtest-answer", () -> socket.readl(0x10)));
    }

    @Test
    void hangUpIsATypedError() throws Exception {
        with(LONG_NANOS, answers(), socket -> failsWith("qtest-closed", () -> socket.readl(0x10)));
    }

    @Test
    void hangUpAmidAnAnswerIsATypedError() throws Exception {
        Function<String, @Nullable String> script = answers("OK 0x1");
        with(
                LONG_NANOS,
                script,
                socket -> {
                    socket.postl(0, 0); // gets the first half
                    socket.postl(0, 0); // the server hangs up
                    failsWith("qtest-closed", () -> socket.readl(0x10));
                });
    }

    @Test
    void silenceIsATypedErrorInTime() throws Exception {
        with(
                SHORT_NANOS,
                line -> "",
                socket -> {
                    long start = System.nanoTime();
                    failsWith("qtest-timeout", () -> socket.readl(0x10));
                    assertThat(System.nanoTime() - start).isBetween(SHORT_NANOS, LONG_NANOS);
                });
    }

    @Test
    void brokenSocketStaysBroken() throws Exception {
        with(
                LONG_NANOS,
                answers("FAIL\n", "OK 0x0000000000000001\n"),
                socket -> {
                    failsWith("qtest-answer", () -> socket.readl(0x10));
                    failsWith("qtest-answer", () -> socket.readl(0x10));
                    failsWith("qtest-answer", () -> socket.postl(0x10, 0));
                });
    }

    @Test
    void interruptLinesArePassedOver() throws Exception {
        with(
                LONG_NANOS,
                answers("IRQ raise 1\nIRQ lower 1\nOK 0x7\nIRQ raise 2\n", "OK 0x8\n"),
                socket -> {
                    assertThat(socket.readl(0x10)).isEqualTo(7);
                    assertThat(socket.readl(0x10)).isEqualTo(8);
                });
    }

    @Test
    void postedWritesAreAnsweredBeforeTheNextRequest() throws Exception {
        List<String> order = new java.util.concurrent.CopyOnWriteArrayList<>();
        with(
                LONG_NANOS,
                line -> {
                    order.add(line);
                    return line.startsWith("readl") ? "OK 0x2a\n" : "IRQ raise 1\nOK\n";
                },
                socket -> {
                    for (int i = 0; i < 1000; i++) {
                        socket.postl(0x1000, i);
                    }
                    assertThat(socket.readl(0x10)).isEqualTo(42);
                    assertThat(order).hasSize(1001);
                    assertThat(order.get(999)).isEqualTo("writel 0x1000 0x3e7");
                });
    }

    @Test
    void refusalOfAPostedWriteShowsAtTheNextRequest() throws Exception {
        with(
                LONG_NANOS,
                answers("OK\n", "FAIL\n", "OK\n", "OK 0x1\n"),
                socket -> {
                    socket.postl(0, 1);
                    socket.postl(0, 2);
                    socket.postl(0, 3);
                    failsWith("qtest-answer", () -> socket.readl(0));
                });
    }

    @Test
    void refusalOfAPostedWriteShowsAtATurn() throws Exception {
        with(
                LONG_NANOS,
                answers("FAIL\n"),
                socket -> {
                    QtestClock clock = new QtestClock(socket);
                    new QtestDoorbell(socket, 0x1000).ring(5);
                    failsWith("qtest-answer", () -> clock.await(() -> false, LONG_NANOS));
                });
    }

    @Test
    void outstandingAnswersAreBounded() throws Exception {
        with(
                SHORT_NANOS,
                line -> "",
                socket -> {
                    for (int i = 0; i < QtestSocket.MAX_PENDING; i++) {
                        socket.postl(0x1000, i);
                    }
                    failsWith("qtest-timeout", () -> socket.postl(0x1000, 0));
                });
    }

    @Test
    void silenceAfterADoorbellEndsAWait() throws Exception {
        with(
                SHORT_NANOS,
                line -> "",
                socket -> {
                    socket.postl(0x1000, 1);
                    QtestClock clock = new QtestClock(socket);
                    failsWith("qtest-timeout", () -> clock.await(() -> false, LONG_NANOS));
                });
    }

    @Test
    void anotherThreadIsRefused() throws Exception {
        with(
                LONG_NANOS,
                answers("OK\n"),
                socket -> {
                    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
                    Thread other =
                            Thread.ofPlatform()
                                    .start(() -> {
                                        try {
                                            socket.readl(0);
                                        } catch (Throwable e) {
                                            thrown.set(e);
                                        }
                                    });
                    try {
                        other.join();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    assertThat(thrown.get()).isInstanceOf(IllegalStateException.class);
                });
    }

    @Test
    void closedSocketIsRefused() throws Exception {
        with(
                LONG_NANOS,
                answers(),
                socket -> {
                    socket.close();
                    socket.close();
                    assertThatThrownBy(() -> socket.readl(0))
                            .isInstanceOf(IllegalStateException.class);
                });
    }

    @Test
    void fullServerIsAnErrorInsteadOfAWait() throws Exception {
        Path path = directory.resolve("full.sock");
        List<SocketChannel> waiting = new ArrayList<>();
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path), 1);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> {
                        while (true) {
                            SocketChannel next = SocketChannel.open(StandardProtocolFamily.UNIX);
                            waiting.add(next);
                            next.configureBlocking(false);
                            next.connect(UnixDomainSocketAddress.of(path));
                        }
                    });
            assertThatExceptionOfType(PeerlaneException.class)
                    .isThrownBy(() -> QtestSocket.connect(path, SHORT_NANOS).close())
                    .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-unreachable"));
        } finally {
            for (SocketChannel each : waiting) {
                each.close();
            }
        }
    }

    @Test
    void serverThatRaisesEndlessInterruptsTimesOut() throws Exception {
        Path path = directory.resolve("flood.sock");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            Thread flood = Thread.ofPlatform().daemon().start(() -> flood(listener));
            failsWith("qtest-timeout", () -> QtestSocket.connect(path, SHORT_NANOS).close());
            flood.join();
        }
    }

    private static void flood(ServerSocketChannel listener) {
        ByteBuffer interrupts = ByteBuffer.wrap("IRQ \n".repeat(10_000).getBytes(US_ASCII));
        try (SocketChannel client = listener.accept()) {
            while (client.write(interrupts) > 0) {
                interrupts.position(interrupts.position() % 5);
            }
        } catch (IOException e) {
            // the client has closed the socket
        }
    }

    @Test
    void machineWithoutQ35IsRefusedByItsHostBridge() throws Exception {
        with(
                LONG_NANOS,
                line -> line.startsWith("inl") ? "OK 0x12378086\n" : "OK\n",
                socket ->
                        assertThatExceptionOfType(PeerlaneException.class)
                                .isThrownBy(() -> PciScan.run(socket))
                                .satisfies(e -> assertThat(e.code()).isEqualTo("qtest-not-q35"))
                                .satisfies(e -> assertThat(e.getMessage()).contains("12378086")));
    }

    @Test
    void bridgesWithoutEndEndTheScan() throws Exception {
        // device 0 of every bus is a bridge, and there is no other device: a tree without end
        with(
                LONG_NANOS,
                line -> {
                    if (!line.startsWith("inl") && !line.startsWith("readl")) {
                        return "OK\n";
                    }
                    if (!line.matches("inl.*|readl 0xb..00...")) {
                        return "OK 0xffffffff\n";
                    }
                    if (line.matches(".*01[04]")) {
                        return "OK 0x0\n"; // it has no BARs
                    }
                    return line.endsWith("00c") ? "OK 0x10000\n" : "OK 0x29c08086\n";
                },
                socket ->
                        assertThatExceptionOfType(PeerlaneException.class)
                                .isThrownBy(() -> PciScan.run(socket))
                                .satisfies(e ->
                                        assertThat(e.code()).isEqualTo("qtest-too-many-buses")));
    }

    /** Answers like a q35 that has one function, or the same function everywhere. */
    private static Function<String, @Nullable String> functions(
            boolean everywhere, String header, String low, String high) {
        return line -> {
            if (!line.startsWith("inl") && !line.startsWith("readl")) {
                return "OK\n";
            }
            if (!everywhere && !line.matches("inl.*|readl 0xb0000...")) {
                return "OK 0xffffffff\n";
            }
            return switch (line.substring(line.length() - 2)) {
                case "fc" -> "OK 0x29c08086\n";
                case "00" -> "OK 0x00091b36\n"; // an expander bridge, with more root buses
                case "0c" -> header;
                case "10" -> low;
                case "14" -> high;
                default -> "OK 0x0\n";
            };
        };
    }

    private void scanFails(String code, Function<String, @Nullable String> script)
            throws Exception {
        with(
                LONG_NANOS,
                script,
                socket ->
                        assertThatExceptionOfType(PeerlaneException.class)
                                .isThrownBy(() -> PciScan.run(socket))
                                .satisfies(e -> assertThat(e.code()).isEqualTo(code)));
    }

    @ParameterizedTest
    @CsvSource({
        "0xfff00004, 0x0", // a negative size
        "0xffa00000, 0x0", // a mask with a hole
        "0xffff0004, 0x7fffffff",
        "0x4, 0x80000000"
    })
    void barOfAnInvalidSizeIsRefused(String low, String high) throws Exception {
        scanFails(
                "qtest-bad-bar",
                functions(false, "OK 0x0\n", "OK " + low + "\n", "OK " + high + "\n"));
    }

    @Test
    void endlessFunctionsEndTheScan() throws Exception {
        scanFails(
                "qtest-too-many-functions",
                functions(true, "OK 0x00800000\n", "OK 0x0\n", "OK 0x0\n"));
    }
}
