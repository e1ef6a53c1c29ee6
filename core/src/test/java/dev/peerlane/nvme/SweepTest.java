package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaBuffer;
import java.util.function.ObjIntConsumer;
import org.junit.jupiter.api.Test;

/**
 * The k-th call fails, k = 1, 2, 3 … until all succeed. Each failure must be a typed error, come
 * soon, and leak nothing.
 */
class SweepTest {
    private static final int MOST = 2000;

    /** Does everything that ordinary use does. Returns whether it succeeded. */
    private static boolean life(FakeMachine m) {
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            cmb.enable(m.dma);
            try (PeerBuffer memory = cmb.allocate(64 << 10, 4096);
                    DmaBuffer host = m.dma.allocate(8192);
                    NvmeBlockPort port = c.namespace(1).port(4)) {
                port.attach(memory, 0, 16 << 10, 16 << 10, 4);
                c.namespace(1).read(host, 0, 0, 16);
                port.submitRead(0, 0, 32);
                port.ring();
                boolean done =
                        m.clock.await(
                                () -> {
                                    port.poll(4, new Bench.Taken());
                                    return port.inFlight() == 0;
                                },
                                Bench.TIMEOUT);
                if (!done) {
                    port.abort(0);
                    port.quiesce();
                    throw PeerlaneException.io("deadline", "no completion", "none");
                }
            }
            c.reset();
            c.admin().smart();
            return true;
        } catch (PeerlaneException e) {
            assertThat(e.getMessage()).isNotBlank();
            return false;
        }
    }

    private static void sweep(String what, boolean mayHide, ObjIntConsumer<FakeMachine> breakIt) {
        int failures = 0;
        for (int k = 1; k < MOST; k++) {
            FakeMachine m = Bench.withCmb(32);
            breakIt.accept(m, k);
            boolean done;
            try {
                done = life(m);
            } catch (RuntimeException | Error e) {
                throw new AssertionError(what + " " + k, e);
            }
            assertThat(m.violations).as("%s %d", what, k).isEmpty();
            assertThat(m.host).as("%s %d: host memory", what, k).isEmpty();
            assertThat(m.mappings).as("%s %d: mappings", what, k).isZero();
            assertThat(m.turns).as("%s %d: turns", what, k).isLessThan(20_000);
            failures += done ? 0 : 1;
            if (done && untouched(m)) {
                assertThat(failures).as("%s that failed", what).isGreaterThan(mayHide ? 0 : 5);
                return;
            }
        }
        fail("%s: the sweep does not end", what);
    }

    private static boolean untouched(FakeMachine m) {
        return !m.gaveOut() && !m.controller.misbehaved();
    }

    @Test
    void callsToTheMachine() {
        sweep("call", false, (m, k) -> m.failAtCall = k);
    }

    @Test
    void adminCommandsThatFail() {
        sweep("failed admin command", false, (m, k) -> m.controller.failAdminAt = k);
    }

    @Test
    void adminCommandsThatAreNotAnswered() {
        sweep("unanswered admin command", false, (m, k) -> m.controller.ignoreAdminAt = k);
    }

    @Test
    void controllersThatVanish() {
        sweep("vanishing at access", false, (m, k) -> m.controller.goneAtAccess = k);
    }

    @Test
    void controllersThatFail() {
        sweep("failing at access", false, (m, k) -> m.controller.fatalAtAccess = k);
    }

    @Test
    void ioCommandsThatAreNotAnswered() {
        sweep(
                "unanswered I/O command",
                true,
                (m, k) -> {
                    int[] seen = new int[1];
                    m.controller.statusOf =
                            c -> {
                                if (c.qid() != 0 && ++seen[0] == k) {
                                    m.controller.misbehave();
                                    return FakeController.NO_ANSWER;
                                }
                                return 0;
                            };
                });
    }
}
