package dev.peerlane.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.Completions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerFault;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.NvmeBlockPort;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests which messages a client sends during I/O to a server that answers one message a
 * millisecond.
 */
class RegisterMessagesTest {
    private static final long TIMEOUT_NANOS = 3_000_000_000L;
    private static final long SECOND = 1_000_000_000L;
    private static final int DEPTH = 32;
    private static final int POLLS_A_TURN = 8;
    private static final int TURNS_OF_A_READ = 5;

    /** Number of Reads. A million takes about ten times as long. */
    private static final int READS = Integer.getInteger("peerlane.reads", 100_000);

    @TempDir private Path folder;
    private SpdkLikeServer server;
    private VfioUserFabric fabric;
    private Controller controller;
    private NvmeBlockPort port;
    private long ended;
    private final Completions onEnd =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    assertThat(status).isZero();
                    ended++;
                }
            };

    @BeforeEach
    void open() {
        server = new SpdkLikeServer(folder.resolve("cntrl"));
        fabric = VfioUserFabric.open(List.of(folder), server.clock, TIMEOUT_NANOS);
        String locator = fabric.locators().getFirst();
        controller = Controller.open(fabric, locator, ControllerOptions.DEFAULTS);
        port = controller.namespace(1).port(DEPTH);
        port.attach(new HostMemory(fabric.dma()).allocate(DEPTH * 4096, 4096), 0, 4096, 512, DEPTH);
        server.asked.clear();
    }

    @AfterEach
    void close() {
        try {
            controller.close();
        } catch (PeerlaneException e) {
            assertThat(e.code()).startsWith("vfio-user-"); // in the tests that lose the server
        }
        fabric.close();
        server.close();
    }

    /** Polls for a time, several times in each turn. No poll advances the time. */
    private void poll(long nanos) {
        long start = server.clock.nanoTime();
        while (server.clock.nanoTime() - start < nanos) {
            for (int i = 0; i < POLLS_A_TURN; i++) {
                long before = server.clock.nanoTime();
                port.poll(DEPTH, onEnd);
                assertThat(server.clock.nanoTime()).as("a poll does not wait").isEqualTo(before);
            }
            server.clock.turn();
        }
    }

    private void stall() {
        server.stalled = true;
        assertThat(port.submitRead(0, 0, 1)).isTrue();
        port.ring();
    }

    /** The queue is kept full, while the drive is idle for most of the time. */
    @Test
    void readsSendNoMessageWhileCompletionsArrive() {
        long start = server.clock.nanoTime();
        long empty = 0;
        fill();
        for (int turns = 0; ended < READS; turns++) {
            server.stalled = turns % TURNS_OF_A_READ != 0;
            server.clock.turn();
            for (int i = 0; i < POLLS_A_TURN; i++) {
                if (port.poll(DEPTH, onEnd) == 0) {
                    empty++;
                } else {
                    fill();
                }
            }
        }
        assertThat(empty).isGreaterThan(READS);
        assertThat(server.clock.nanoTime() - start).isGreaterThan(3 * SECOND / 2);
        assertThat(server.asked).isEmpty();
        server.stalled = false;
    }

    private void fill() {
        for (int slot = 0; port.inFlight() < DEPTH; slot++) {
            assertThat(port.submitRead(slot, (ended + slot) & 1023, 1)).isTrue();
        }
        port.ring();
    }

    @Test
    void afterASecondWithoutCompletionsOneMessageIsSentAndNoPollWaitsForItsReply() {
        stall();
        poll(SECOND - SECOND / 100);
        assertThat(server.asked).isEmpty();
        poll(SECOND / 10);
        assertThat(server.asked).hasSize(1);
        assertThat(server.asked.getFirst())
                .isEqualTo(new SpdkLikeServer.Asked(Protocol.REGION_READ, 0, 0x1c, 4, 0, 0));
        poll(SECOND);
        assertThat(server.asked).hasSize(2);
        server.stalled = false;
        poll(SECOND / 100);
        assertThat(ended).isEqualTo(1);
    }

    /** Polls until the request is sent. */
    private void pollUntilAsked() {
        poll(SECOND - SECOND / 100);
        boolean[] sent = {false};
        server.tamper =
                (command, answer, length, descriptors) -> {
                    sent[0] = true;
                    return 0; // not answered
                };
        while (!sent[0]) {
            poll(1);
        }
    }

    @Test
    void aMissingReplyEndsTheConnectionAfterTheTimeout() {
        stall();
        pollUntilAsked();
        poll(TIMEOUT_NANOS - SECOND / 10);
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, () -> poll(SECOND / 5));
        assertThat(e.code()).isEqualTo("vfio-user-timeout");
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        assertThat(e.getMessage()).contains(folder.toString()).contains("3000 ms");
    }

    @Test
    void aVanishedServerIsNoticedSoonAfterASecond() {
        stall();
        server.vanish();
        PeerlaneException e =
                catchThrowableOfType(PeerlaneException.class, () -> poll(SECOND + SECOND / 5));
        assertThat(e.code()).isEqualTo("vfio-user-gone");
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
        assertThat(e.getMessage()).contains(folder.toString());
        ControllerFault after = catchThrowableOfType(ControllerFault.class, () -> poll(2 * SECOND));
        assertThat(after.code()).isEqualTo("controller-gone");
    }

    @Test
    void aRequestWaitsForAnOutstandingReplyAndThenGetsItsOwn() {
        stall();
        poll(SECOND - SECOND / 100);
        while (asksForStatus() == 0) { // including right after the poll that sent the request
            for (int i = 0; i < POLLS_A_TURN; i++) {
                port.poll(DEPTH, onEnd);
            }
            assertThat(controller.device().bar(0).load32(8)).isEqualTo(0x0001_0400);
        }
        server.stalled = false;
        poll(SECOND / 100);
        assertThat(ended).isEqualTo(1);
    }

    private long asksForStatus() {
        return server.asked.stream().filter(asked -> asked.offset() == 0x1c).count();
    }
}
