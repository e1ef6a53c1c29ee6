package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.UnixSocket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests servers that violate the protocol: there is one clear error within a time limit, and
 * nothing stays open.
 */
class HostileServerTest {
    private static final long TIMEOUT_NANOS = 100_000;

    /** Answers a request, whose bytes are in {@link #request}. */
    private interface Answers {
        /**
         * Writes the reply into {@link #answer}. Returns its length, 0 for no reply, -1 to close
         * the connection.
         */
        int to(int command);
    }

    @TempDir private Path folder;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment request = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    private final MemorySegment answer = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    private final UnixSocket listener = UnixSocket.create();
    private final int file = (int) MemoryFile.create("hostile", 4096);
    private UnixSocket connection;
    private Answers answers;
    private int[] passed = {};
    private final List<Integer> requests = new ArrayList<>();
    private long nanos;

    /** Runs the server on the client's thread. A turn takes a microsecond. */
    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return nanos;
                }

                @Override
                public void turn() {
                    nanos += 1_000;
                    serve();
                }
            };

    @BeforeEach
    void listen() {
        assertThat(listener.bind(folder.resolve("s").toString())).isZero();
        assertThat(listener.listen(1)).isZero();
    }

    @AfterEach
    void close() {
        if (connection != null) {
            connection.close();
        }
        listener.close();
        KernelCalls.instance().close(file);
        arena.close();
    }

    private void serve() {
        if (connection == null) {
            long fd = listener.accept();
            if (fd >= 0) {
                connection = UnixSocket.of(fd);
            }
            return;
        }
        long got = connection.receive(request);
        for (int fd : connection.takeDescriptors()) {
            KernelCalls.instance().close(fd);
        }
        if (got < Protocol.HEADER_BYTES) {
            return;
        }
        int command = Short.toUnsignedInt(request.get(JAVA_SHORT_UNALIGNED, 2));
        requests.add(command);
        int length = answers.to(command);
        if (length < 0) {
            connection.close();
        } else if (length > 0) {
            connection.send(answer.asSlice(0, length), passed);
            passed = new int[0];
        }
    }

    private int reply(int command, int bodyBytes) {
        answer.set(JAVA_SHORT_UNALIGNED, 0, request.get(JAVA_SHORT_UNALIGNED, 0));
        answer.set(JAVA_SHORT_UNALIGNED, 2, (short) command);
        answer.set(JAVA_INT_UNALIGNED, 4, Protocol.HEADER_BYTES + bodyBytes);
        answer.set(JAVA_INT_UNALIGNED, 8, Protocol.REPLY);
        answer.set(JAVA_INT_UNALIGNED, 12, 0);
        return Protocol.HEADER_BYTES + bodyBytes;
    }

    /** Replies as a correct server does, up to the information about regions. */
    private int decent(int command) {
        answer.fill((byte) 0);
        if (command == Protocol.DEVICE_GET_INFO) {
            answer.set(JAVA_INT_UNALIGNED, 20, Protocol.DEVICE_PCI);
            answer.set(JAVA_INT_UNALIGNED, 24, Protocol.REGIONS);
            return reply(command, 16);
        }
        boolean configSpace = request.get(JAVA_INT_UNALIGNED, 24) == Protocol.CONFIG_REGION;
        if (command == Protocol.DEVICE_GET_REGION_INFO && configSpace) {
            answer.set(JAVA_LONG_UNALIGNED, 32, 4096);
        }
        if (command == Protocol.REGION_READ || command == Protocol.REGION_WRITE) {
            MemorySegment.copy(request, 16, answer, 16, 16);
            int count = request.get(JAVA_INT_UNALIGNED, 28);
            return reply(command, 16 + (command == Protocol.REGION_READ ? count : 0));
        }
        return reply(command, command == Protocol.VERSION ? 4 : 32);
    }

    private PeerlaneException refusal(Answers how) {
        answers = how;
        long before = openFiles();
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () ->
                                VfioUserFabric.open(
                                                List.of(folder.resolve("s")), clock, TIMEOUT_NANOS)
                                        .close());
        assertThat(e).isNotNull();
        assertThat(e.getMessage()).contains(folder.resolve("s").toString());
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.MACHINE);
        assertThat(nanos).as("virtual time spent").isLessThan(20 * TIMEOUT_NANOS);
        if (connection != null) {
            connection.close();
            connection = null;
        }
        assertThat(openFiles()).as("open descriptors").isEqualTo(before);
        return e;
    }

    private static long openFiles() {
        return java.util.Objects.requireNonNull(new java.io.File("/proc/self/fd").list()).length;
    }

    @Test
    void silenceIsATimeOut() {
        assertThat(refusal(command -> 0).code()).isEqualTo("vfio-user-timeout");
    }

    @Test
    void aClosedConnectionIsReported() {
        assertThat(refusal(command -> -1).code()).isEqualTo("vfio-user-gone");
    }

    @Test
    void halfAReplyIsATimeOut() {
        PeerlaneException e = refusal(command -> decent(command) - 2);
        assertThat(e.code()).isEqualTo("vfio-user-timeout");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 99, message 99 of command 1",
        "2, 5, of command 5",
        "4, 8, a message of 8 bytes",
        "4, -1, a message of 4294967295 bytes",
        "8, 0, not the answer",
        "16, 1, version 1 of it",
    })
    void wrongHeaderOrVersionIsAProtocolError(int offset, int value, String words) {
        PeerlaneException e =
                refusal(command -> {
                    int length = decent(command);
                    if (offset == 4 || offset == 8) {
                        answer.set(JAVA_INT_UNALIGNED, offset, value);
                    } else {
                        answer.set(JAVA_SHORT_UNALIGNED, offset, (short) value);
                    }
                    return length;
                });
        assertThat(e.code()).isEqualTo("vfio-user-protocol");
        assertThat(e.getMessage()).contains(words);
    }

    @Test
    void refusalHasTheErrorNumber() {
        PeerlaneException e =
                refusal(command -> {
                    int length = decent(command);
                    answer.set(JAVA_INT_UNALIGNED, 8, Protocol.REPLY | Protocol.ERROR);
                    answer.set(JAVA_INT_UNALIGNED, 12, 1);
                    return length;
                });
        assertThat(e.code()).isEqualTo("vfio-user-refused");
        assertThat(e.getMessage()).contains("EPERM");
    }

    @Test
    void shortReplyIsAProtocolError() {
        PeerlaneException e =
                refusal(command ->
                        command == Protocol.VERSION ? decent(command) : reply(command, 8));
        assertThat(e.getMessage()).contains("has 8 bytes, not 16");
    }

    @Test
    void deviceThatIsNoPciFunctionIsRefused() {
        PeerlaneException e =
                refusal(command -> {
                    int length = decent(command);
                    if (command == Protocol.DEVICE_GET_INFO) {
                        answer.set(JAVA_INT_UNALIGNED, 20, 4);
                    }
                    return length;
                });
        assertThat(e.getMessage()).contains("flags 4h");
    }

    /**
     * Describes region 0: size, first capability, number of areas, offset and length of the first
     * area.
     */
    @ParameterizedTest
    @CsvSource({
        "-1, 32, 1, 0, 4096, has -1 bytes",
        "16384, 8, 1, 0, 4096, capability of region 0 is outside",
        "16384, 60, 1, 0, 4096, capability of region 0 is outside",
        "16384, -1, 1, 0, 4096, capability of region 0 is outside",
        "16384, 32, 2, 0, 4096, capability of region 0 is outside",
        "16384, 32, -1, 0, 4096, capability of region 0 is outside",
        "16384, 32, 1, 16384, 4096, can be mapped at 16384",
        "16384, 32, 1, 12288, 8192, can be mapped at 12288",
        "16384, 32, 1, -4096, 4096, can be mapped at -4096",
        "16384, 32, 1, 4096, 0, 0 bytes",
        "16384, 32, 1, 4096, 100, 100 bytes",
        "16384, 32, 1, 4096, 4096, 'bytes 4096 to 8191 of a file of 4096 bytes'",
    })
    void impossibleRegionIsRefused(
            long size, int first, int areas, long offset, long bytes, String words) {
        PeerlaneException e =
                refusal(command -> {
                    int length = decent(command);
                    if (command != Protocol.DEVICE_GET_REGION_INFO) {
                        return length;
                    }
                    answer.set(JAVA_INT_UNALIGNED, 20, 0xf);
                    answer.set(JAVA_INT_UNALIGNED, 28, first);
                    answer.set(JAVA_LONG_UNALIGNED, 32, size);
                    answer.set(JAVA_SHORT_UNALIGNED, 48, (short) 1);
                    answer.set(JAVA_INT_UNALIGNED, 56, areas);
                    answer.set(JAVA_LONG_UNALIGNED, 64, offset);
                    answer.set(JAVA_LONG_UNALIGNED, 72, bytes);
                    passed = new int[] {file};
                    return reply(command, 64);
                });
        assertThat(e.getMessage()).contains(words);
    }

    private static PeerlaneException check(PeerlaneException e) {
        assertThat(e.remedy()).isNotEmpty();
        return e;
    }

    /** Lists kinds of descriptors that can't be a region's memory. */
    @ParameterizedTest
    @CsvSource({"read-only, mmap", "folder, fstat", "/dev/null, fstat", "short, file of 100 bytes"})
    void descriptorThatIsNotMemoryIsRefused(String kind, String words) throws IOException {
        Path path = Files.write(folder.resolve("read-only"), new byte[4096]);
        Kernel kernel = KernelCalls.instance();
        int wrong =
                (int)
                        switch (kind) {
                            case "read-only" -> kernel.open(path.toString(), 0);
                            case "folder" -> kernel.open(folder.toString(), 0);
                            case "short" -> MemoryFile.create("short", 100);
                            default -> kernel.open(kind, Kernel.O_RDWR);
                        };
        PeerlaneException e = check(refusal(command -> mappable(command, new int[] {wrong})));
        kernel.close(wrong);
        assertThat(e.code()).isEqualTo("not-mapped");
        assertThat(e.getMessage()).contains("BAR 0 of vfio-user:").contains(words);
    }

    private int mappable(int command, int[] descriptors) {
        int length = decent(command);
        if (command != Protocol.DEVICE_GET_REGION_INFO) {
            return length;
        }
        answer.set(JAVA_INT_UNALIGNED, 20, 7);
        answer.set(JAVA_LONG_UNALIGNED, 32, 4096);
        passed = descriptors;
        return length;
    }

    @Test
    void moreThanOneDescriptorForARegionIsAProtocolError() {
        PeerlaneException e = check(refusal(command -> mappable(command, new int[] {file, file})));
        assertThat(e.getMessage()).contains("region 0 has 4096 bytes at 0 and 2 descriptors");
    }

    @Test
    void unrequestedDescriptorsAreClosed() {
        // refusal() counts open files: the descriptors passed with each reply are closed in the end
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = decent(command);
                            boolean region = command == Protocol.DEVICE_GET_REGION_INFO;
                            passed = region ? new int[] {file} : new int[] {file, file, file};
                            return command == Protocol.REGION_READ ? -1 : length;
                        }));
        assertThat(e.code()).isEqualTo("vfio-user-gone");
    }

    @Test
    void tooManyDescriptorsEndTheConnection() {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = decent(command);
                            int[] many = new int[8];
                            Arrays.fill(many, file);
                            connection.send(answer.asSlice(0, 8), many);
                            connection.send(answer.asSlice(8, length - 8), file);
                            return 0;
                        }));
        assertThat(e.code()).isEqualTo("vfio-user-protocol");
        assertThat(e.getMessage()).contains("more than 8 descriptors");
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 15", "1, 16", "1, 19", "4, 17", "5, 47", "9, 20", "9, 35"})
    void connectionClosedWithinAReplyIsReported(int command, int bytes) {
        PeerlaneException e =
                check(
                        refusal(asked -> {
                            int length = decent(asked);
                            if (asked != command) {
                                return length;
                            }
                            connection.send(answer.asSlice(0, bytes));
                            return -1;
                        }));
        assertThat(e.code()).isEqualTo("vfio-user-gone");
        assertThat(e.getMessage()).contains("has closed the connection");
    }

    @Test
    void aRepeatedReplyDoesNotAnswerTheNextRequest() {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = decent(command);
                            connection.send(answer.asSlice(0, length));
                            return length;
                        }));
        assertThat(e.code()).isEqualTo("vfio-user-protocol");
        assertThat(e.getMessage()).contains("message 1 of command 1 came, not the answer 2 to 4");
    }

    @Test
    void aRequestFromTheServerIsNoReply() {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            answer.fill((byte) 0);
                            int length = reply(11, 16); // DMA_READ
                            answer.set(JAVA_INT_UNALIGNED, 8, 0);
                            return length;
                        }));
        assertThat(e.code()).isEqualTo("vfio-user-protocol");
        assertThat(e.getMessage()).contains("of command 11 came");
    }

    @ParameterizedTest
    @CsvSource({"4, 0", "4, 7", "8, -1", "8, 2", "20, 0"})
    void aReadOfAnotherLengthIsAProtocolError(int bodyBytes, int count) {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = decent(command);
                            if (command != Protocol.REGION_READ) {
                                return length;
                            }
                            answer.set(JAVA_INT_UNALIGNED, 28, count);
                            return reply(command, 16 + bodyBytes);
                        }));
        assertThat(e.code()).isEqualTo("vfio-user-protocol");
        assertThat(e.getMessage())
                .contains("it reads %d bytes of region 7 at 0x10, not 4".formatted(count));
    }

    /** A region whose description is too long is asked for once more, and not a third time. */
    @ParameterizedTest
    @CsvSource({"16369, 1, has 16369 bytes", "-1, 1, has 4294967295 bytes"})
    void aRegionDescriptionLongerThanAMessageIsRefused(int needed, int times, String words) {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = decent(command);
                            if (command == Protocol.DEVICE_GET_REGION_INFO) {
                                answer.set(JAVA_INT_UNALIGNED, 16, needed);
                            }
                            return length;
                        }));
        assertThat(e.getMessage()).contains(words);
        assertThat(requests.stream().filter(c -> c == 5)).hasSize(times);
    }

    @Test
    void aRegionThatAlwaysNeedsMoreRoomIsAskedForTwice() {
        refusal(command -> {
            int length = decent(command);
            if (command == Protocol.REGION_READ) {
                return -1;
            }
            if (command == Protocol.DEVICE_GET_REGION_INFO) {
                answer.set(JAVA_INT_UNALIGNED, 16, request.get(JAVA_INT_UNALIGNED, 16) + 4);
            }
            return length;
        });
        assertThat(requests.stream().filter(c -> c == 5)).hasSize(14);
    }

    @Test
    void capabilitiesThatFormALoopAreRefused() {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = mappable(command, new int[] {file});
                            if (command != Protocol.DEVICE_GET_REGION_INFO) {
                                return length;
                            }
                            answer.set(JAVA_INT_UNALIGNED, 20, 0xf);
                            answer.set(JAVA_INT_UNALIGNED, 28, 32);
                            answer.set(JAVA_INT_UNALIGNED, 52, 32);
                            return reply(command, 64);
                        }));
        assertThat(e.getMessage()).contains("a capability of region 0 is outside the message");
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 47, (1L << 62) + 1, Long.MAX_VALUE})
    void barThatFitsNowhereIsRefused(long bytes) {
        PeerlaneException e =
                check(
                        refusal(command -> {
                            int length = decent(command);
                            if (command == Protocol.DEVICE_GET_REGION_INFO) {
                                answer.set(JAVA_LONG_UNALIGNED, 32, bytes);
                            }
                            return length;
                        }));
        assertThat(e.code()).isEqualTo("no-bus-addresses");
        assertThat(e.getMessage()).contains("BAR 0 of vfio-user:").contains(bytes + " bytes");
    }

    @Test
    void aSocketThatNobodyListensToIsReportedWithItsPath() {
        listener.close();
        assertThat(refusal(command -> 0).code()).isEqualTo("vfio-user-not-connected");
    }
}
