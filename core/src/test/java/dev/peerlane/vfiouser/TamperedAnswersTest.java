package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests a correct server whose replies are changed on their way, from a random one on. The driver
 * either works or throws one typed error in bounded time, and nothing stays open.
 */
class TamperedAnswersTest {
    private static final int WORLDS = 25;
    private static final long TIMEOUT_NANOS = 50_000_000L;
    private static final long HOUR_NANOS = 3_600_000_000_000L;

    @TempDir private Path folder;
    private int foreign;

    /** Changes some of the replies after a number of unchanged ones. */
    private final class Tamperer implements SpdkLikeServer.Tamper {
        private final SplittableRandom random;
        private int good;

        Tamperer(SplittableRandom random, int good) {
            this.random = random;
            this.good = good;
        }

        @Override
        public int change(int command, MemorySegment answer, int length, List<Integer> fds) {
            if (good-- > 0 || random.nextInt(3) == 0) {
                return length;
            }
            switch (random.nextInt(9)) {
                case 0 -> {
                    return -1; // closes the connection
                }
                case 1 -> {
                    return 0; // no reply
                }
                case 2 -> {
                    return random.nextInt(length); // the rest never arrives
                }
                case 3 -> {
                    answer.set(JAVA_INT_UNALIGNED, 4, random.nextInt());
                }
                case 4 -> {
                    int longer = length + random.nextInt(1000);
                    answer.set(JAVA_INT_UNALIGNED, 4, longer);
                    return longer;
                }
                case 5 -> fds.clear();
                case 6 -> {
                    for (int i = random.nextInt(4); i >= 0; i--) {
                        fds.add(foreign);
                    }
                }
                case 7 -> answer.set(JAVA_BYTE, random.nextInt(16), (byte) random.nextInt());
                default -> {
                    int body = Math.max(1, length - 16);
                    for (int i = random.nextInt(3); i >= 0; i--) {
                        answer.set(JAVA_BYTE, 16 + random.nextInt(body), (byte) random.nextInt());
                    }
                }
            }
            return length;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void changedRepliesEndInTypedErrorsAndLeaveNothingOpen(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        foreign = (int) MemoryFile.create("foreign", 4096);
        long files = openFiles();
        long mappings = mappings();
        int refused = 0;
        for (int world = 0; world < WORLDS; world++) {
            refused += world(random.split(), world) ? 0 : 1;
            String where = "seed %d, world %d".formatted(seed, world);
            assertThat(openFiles()).as(where).isEqualTo(files);
            assertThat(mappings()).as(where).isEqualTo(mappings);
        }
        KernelCalls.instance().close(foreign);
        assertThat(refused).as("worlds that ended in an error").isPositive();
    }

    @Test
    void unchangedRepliesWork() throws IOException {
        long files = openFiles();
        assertThat(drive(0, (command, answer, length, fds) -> length)).isTrue();
        assertThat(openFiles()).isEqualTo(files);
    }

    private boolean world(SplittableRandom random, int world) {
        // bring-up and two commands take 54 replies
        return drive(world, new Tamperer(random, random.nextInt(54)));
    }

    private boolean drive(int world, SpdkLikeServer.Tamper tamper) {
        Path socket = folder.resolve("s" + world);
        try (SpdkLikeServer server = new SpdkLikeServer(socket)) {
            server.tamper = tamper;
            try (VfioUserFabric fabric =
                            VfioUserFabric.open(List.of(socket), server.clock, TIMEOUT_NANOS);
                    Controller controller =
                            Controller.open(
                                    fabric,
                                    fabric.locators().getFirst(),
                                    ControllerOptions.DEFAULTS.withTimeoutNanos(TIMEOUT_NANOS));
                    DmaBuffer data = fabric.dma().allocate(8192)) {
                controller.namespace(1).write(data, 0, 0, 16);
                controller.namespace(1).read(data, 0, 0, 16);
                return true;
            } catch (PeerlaneException e) {
                assertThat(e.code()).isNotEmpty();
                assertThat(e.remedy()).isNotEmpty();
                assertThat(e.getMessage()).contains(socket.toString());
                return false;
            } finally {
                assertThat(server.clock.nanoTime()).isLessThan(HOUR_NANOS);
            }
        }
    }

    private static long openFiles() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    private static long mappings() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("/memfd:")).count();
        }
    }
}
