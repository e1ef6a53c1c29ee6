package dev.peerlane.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests descriptors that arrive with bytes, from a sender that respects no limit. */
class UnixSocketTest {
    @TempDir private Path folder;

    private static int openFiles() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, UnixSocket.MAX_DESCRIPTORS})
    void descriptorsThatFitAreReceivedAndOwnedByTheCaller(int count) {
        int before = openFiles();
        try (Pair pair = new Pair(folder.resolve("s").toString())) {
            int open = openFiles();
            pair.sendByte(count);
            assertThat(pair.taker.receive(pair.bytes)).isOne();
            int[] taken = pair.taker.takeDescriptors();
            assertThat(taken).hasSize(count);
            assertThat(openFiles() - open).isEqualTo(count);
            for (int fd : taken) {
                KernelCalls.instance().close(fd);
            }
        }
        assertThat(openFiles()).isEqualTo(before);
    }

    /**
     * The kernel installs the descriptors that fit, and reports with MSG_CTRUNC that it dropped the
     * others.
     */
    @Test
    void noDescriptorOfATruncatedMessageStaysOpen() {
        try (Pair pair = new Pair(folder.resolve("s").toString())) {
            int open = openFiles();
            pair.sendByte(UnixSocket.MAX_DESCRIPTORS + 1);
            assertThat(pair.taker.receive(pair.bytes)).isEqualTo(-Errno.EMSGSIZE);
            assertThat(pair.taker.takeDescriptors()).isEmpty();
            assertThat(openFiles()).isEqualTo(open);
            pair.sendByte(1);
            assertThat(pair.taker.receive(pair.bytes)).isOne();
            for (int fd : pair.taker.takeDescriptors()) {
                KernelCalls.instance().close(fd);
            }
        }
    }

    /** The two ends of a connection. */
    private static final class Pair implements AutoCloseable {
        final Arena arena = Arena.ofConfined();
        final MemorySegment bytes = arena.allocate(1);
        final UnixSocket listener = UnixSocket.create();
        final UnixSocket sender = UnixSocket.create();
        final UnixSocket taker;

        Pair(String path) {
            assertThat(listener.bind(path)).isZero();
            assertThat(listener.listen(1)).isZero();
            assertThat(sender.connect(path)).isZero();
            taker = UnixSocket.of(listener.accept());
        }

        void sendByte(int descriptors) {
            int[] passed = new int[descriptors];
            Arrays.fill(passed, sender.descriptor());
            assertThat(Mischief.send(sender.descriptor(), bytes, passed)).isOne();
        }

        @Override
        public void close() {
            taker.close();
            sender.close();
            listener.close();
            arena.close();
        }
    }
}
