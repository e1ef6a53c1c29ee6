package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.engine.FakePort;
import dev.peerlane.copy.engine.FakeWorld;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What the guard reads of a target is what is there, or an error. */
class PortBytesTest {
    private static final int BYTES = 1 << 20;

    private static void with(int blockBytes, Consumer<FakePort> before, Consumer<PortBytes> body) {
        FakeWorld world = new FakeWorld(1);
        FakePort port = new FakePort(world, FakeWorld.TARGET, blockBytes, BYTES, 16 << 10);
        new SplittableRandom(2).nextBytes(port.medium);
        before.accept(port);
        try (PortBytes bytes =
                new PortBytes(
                        port, new HostMemory(world.dma()), world.clock, CopyOptions.DEFAULTS)) {
            body.accept(bytes);
        }
    }

    @Test
    void anyBytesAreReadInPiecesThatTheDeviceTransfers() {
        for (int blockBytes : new int[] {512, 4096}) {
            with(
                    blockBytes,
                    port -> {},
                    bytes -> {
                        byte[] whole = new byte[BYTES];
                        bytes.read(0, whole);
                        byte[] part = new byte[40_000];
                        bytes.read(1_080, part);
                        assertThat(part).isEqualTo(Arrays.copyOfRange(whole, 1_080, 41_080));
                        byte[] last = new byte[1];
                        bytes.read(BYTES - 1, last);
                        assertThat(last[0]).isEqualTo(whole[BYTES - 1]);
                        byte[] medium = new byte[BYTES];
                        new SplittableRandom(2).nextBytes(medium);
                        assertThat(whole).isEqualTo(medium);
                    });
        }
    }

    @Test
    void dataThatDoesNotArriveInHostMemoryIsNotTakenForAnEmptyDevice() {
        with(
                512,
                port -> port.losesHostWrites = true,
                bytes ->
                        assertThatThrownBy(() -> bytes.read(0, new byte[4096]))
                                .isInstanceOf(PeerlaneException.class)
                                .hasMessageEndingWith(
                                        "ended with success, but its data did not arrive"));
    }

    @Test
    void aPieceThatDoesNotArriveIsMissedToo() {
        with(
                512,
                port -> {
                    port.losesFrom = 4096;
                    port.losesBytes = 512;
                },
                bytes -> {
                    bytes.read(0, new byte[512]);
                    assertThatThrownBy(() -> bytes.read(0, new byte[16 << 10]))
                            .isInstanceOf(PeerlaneException.class)
                            .hasMessageContaining("a Read of 32 blocks from block 0 on ended");
                });
    }

    @Test
    void aFailedReadIsAnErrorWhateverItLeftInMemory() {
        with(
                512,
                port -> port.ends(FakePort.Op.READ, FakePort.FATAL),
                bytes ->
                        assertThatThrownBy(() -> bytes.read(0, new byte[4096]))
                                .isInstanceOf(PeerlaneException.class)
                                .hasMessageEndingWith("ended with status " + FakePort.FATAL));
    }

    @Test
    void aReadIsRetriedThreeTimesIfItsStatusAllowsThat() {
        Integer[] three = {FakePort.RETRYABLE, FakePort.RETRYABLE, FakePort.RETRYABLE};
        byte[] medium = new byte[BYTES];
        new SplittableRandom(2).nextBytes(medium);
        with(
                512,
                port -> port.ends(FakePort.Op.READ, three),
                bytes -> {
                    byte[] part = new byte[4096];
                    bytes.read(0, part);
                    assertThat(part).isEqualTo(Arrays.copyOf(medium, 4096));
                });
        with(
                512,
                port ->
                        port.ends(FakePort.Op.READ, three)
                                .ends(FakePort.Op.READ, FakePort.RETRYABLE),
                bytes ->
                        assertThatThrownBy(() -> bytes.read(0, new byte[4096]))
                                .isInstanceOf(PeerlaneException.class)
                                .hasMessageEndingWith("ended with status " + FakePort.RETRYABLE));
    }
}
