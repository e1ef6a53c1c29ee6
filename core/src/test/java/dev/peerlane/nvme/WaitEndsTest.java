package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests a command whose wait ends in another way than by its completion. */
class WaitEndsTest {
    private final FakeMachine m = new FakeMachine();
    private final ThrowingClock clock = new ThrowingClock();
    private Controller controller;

    /** Throws at the turns that a test chooses, or runs an action of the test. */
    private final class ThrowingClock extends Clock {
        private @Nullable Throwable thrown;
        private int times;
        private @Nullable Runnable meanwhile;

        @Override
        public long nanoTime() {
            return m.clock.nanoTime();
        }

        @Override
        public void turn() {
            m.clock.turn();
            Runnable now = meanwhile;
            meanwhile = null;
            if (now != null) {
                now.run();
            }
            if (times > 0) {
                times--;
                if (thrown instanceof Error e) {
                    throw e;
                }
                throw (RuntimeException) thrown;
            }
        }

        void throwing(Throwable what, int so) {
            thrown = what;
            times = so;
        }
    }

    static Stream<Throwable> whatIsThrown() {
        return Stream.of(
                new IllegalStateException("of the clock"),
                new ArithmeticException("of a callback"),
                ControllerFault.stopped("fake:1", "of another device"),
                new InternalError("a fault occurred in an unsafe memory access operation"),
                new StackOverflowError());
    }

    @BeforeEach
    void open() {
        controller = Controller.open(m.device, m.dma, clock, Bench.OPTIONS);
    }

    @AfterEach
    void nothingIsLeft() {
        clock.times = 0;
        controller.close();
        Bench.assertNothingLeft(m);
    }

    private static void assertComesOut(@Nullable Throwable seen, Throwable thrown) {
        if (thrown instanceof InternalError) {
            assertThat(seen)
                    .isInstanceOfSatisfying(
                            PeerlaneException.class,
                            e -> assertThat(e.code()).isEqualTo(MemoryFault.CODE))
                    .hasMessage("fake:0 no longer answers")
                    .hasCause(thrown);
        } else {
            assertThat(seen).isSameAs(thrown);
        }
    }

    @ParameterizedTest
    @MethodSource("whatIsThrown")
    void whateverEndsASynchronousWaitDeletesItsQueue(Throwable thrown) {
        Namespace ns = controller.namespace(1);
        m.controller.statusOf =
                c -> c.qid() == 1 && c.opcode() == NvmOpcode.READ ? FakeController.NO_ANSWER : 0;
        try (DmaBuffer list = m.dma.allocate(64 << 10)) {
            ns.write(list, 0, 0, 64);
            m.log.clear();
            clock.throwing(thrown, 1);
            DmaBuffer b = m.dma.allocate(64 << 10);
            assertComesOut(catchThrowable(() -> ns.read(b, 0, 0, 64)), thrown);
            assertThat(m.log).contains("delete sq");
            b.close();
            m.controller.statusOf =
                    c ->
                            c.qid() == 1 && c.opcode() == NvmOpcode.COMPARE
                                    ? Status.COMPARE_FAILURE
                                    : 0;
            assertThatThrownBy(() -> ns.compare(list, 0, 0, 64))
                    .isInstanceOf(NvmeStatusException.class);
            ns.write(list, 0, 0, 64);
        }
    }

    @ParameterizedTest
    @MethodSource("whatIsThrown")
    void clockThatOnlyThrowsEndsAsAControllerThatReachesNoMemory(Throwable thrown) {
        Namespace ns = controller.namespace(1);
        m.controller.statusOf = c -> c.qid() == 1 ? FakeController.NO_ANSWER : 0;
        DmaBuffer b = m.dma.allocate(64 << 10);
        clock.throwing(thrown, Integer.MAX_VALUE);
        assertComesOut(catchThrowable(() -> ns.read(b, 0, 0, 64)), thrown);
        b.close();
        assertThat(m.violations).isEmpty();
        assertThat(controller.failure()).isPresent();
        assertThatThrownBy(() -> ns.flush()).isInstanceOf(ControllerFault.class);
    }

    @Test
    void controllerThatNothingStopsKeepsAllMemory() {
        Namespace ns = controller.namespace(1);
        m.controller.statusOf = c -> c.qid() == 1 || c.opcode() == 0 ? FakeController.NO_ANSWER : 0;
        m.controller.neverUnready = true;
        m.device.resetWorks = false;
        m.device.busMasterSticks = true;
        int before = m.host.size();
        try (DmaBuffer b = m.dma.allocate(64 << 10)) {
            assertThatThrownBy(() -> ns.read(b, 0, 0, 64))
                    .isInstanceOf(ControllerFault.class)
                    .satisfies(e -> assertThat(e.getSuppressed()).isNotEmpty());
            assertThat(m.host).as("queues and list").hasSizeGreaterThan(before);
            m.controller.neverUnready = false;
            m.device.busMasterSticks = false;
            controller.close();
        }
    }

    @ParameterizedTest
    @MethodSource("whatIsThrown")
    void whateverEndsAnAdminWaitEndsTheQueueUntilAReset(Throwable thrown) {
        m.controller.statusOf = c -> FakeController.NO_ANSWER;
        clock.throwing(thrown, 1);
        assertComesOut(catchThrowable(() -> controller.admin().smart()), thrown);
        m.controller.statusOf = c -> 0;
        assertThat(controller.failure()).isPresent();
        assertThatThrownBy(() -> controller.admin().smart()).isInstanceOf(ControllerFault.class);
        assertThatThrownBy(() -> controller.namespace(1)).isInstanceOf(ControllerFault.class);
        controller.reset();
        assertThat(controller.admin().smart().criticalWarning()).isZero();
    }

    @ParameterizedTest
    @MethodSource("whatIsThrown")
    void whateverEndsABringUpLeavesNothingAllocated(Throwable thrown) {
        controller.close();
        for (int turn = 1; turn < 12; turn++) {
            int at = turn;
            m.controller.statusOf = c -> 0;
            Clock late =
                    new Clock() {
                        private int left = at;

                        @Override
                        public long nanoTime() {
                            return m.clock.nanoTime();
                        }

                        @Override
                        public void turn() {
                            if (--left == 0) {
                                clock.throwing(thrown, 1);
                            }
                            clock.turn();
                        }
                    };
            Throwable seen =
                    catchThrowable(
                            () -> Controller.open(m.device, m.dma, late, Bench.OPTIONS).close());
            if (seen != null) {
                assertComesOut(seen, thrown);
            }
            Bench.assertNothingLeft(m);
        }
    }

    @Test
    void callFromInsideAnotherCallsWaitIsRefusedAndLeavesItsListUnchanged() {
        Namespace ns = controller.namespace(1);
        try (DmaBuffer outer = m.dma.allocate(64 << 10);
                DmaBuffer inner = m.dma.allocate(64 << 10)) {
            ns.write(outer, 0, 0, 64);
            Throwable[] refused = new Throwable[1];
            // The device has not fetched the command yet, so the PRP list must still be this
            // command's.
            m.controller.sleeps = true;
            clock.meanwhile =
                    () -> {
                        refused[0] = catchThrowable(() -> ns.read(inner, 0, 0, 64));
                        m.controller.sleeps = false;
                    };
            ns.read(outer, 0, 0, 64);
            assertThat(refused[0])
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("fake:0: a synchronous command is in flight already");
            assertThat(m.controller.io(NvmOpcode.READ)).hasSize(1);
            assertThat(m.controller.io(NvmOpcode.READ).getFirst().pages())
                    .allSatisfy(page ->
                            assertThat(page)
                                    .isBetween(
                                            outer.busAddress(),
                                            outer.busAddress() + outer.sizeBytes()));
        }
    }

    @Test
    void adminCallFromInsideAnotherCallsWaitIsRefused() {
        Throwable[] refused = new Throwable[1];
        clock.meanwhile = () -> refused[0] = catchThrowable(() -> controller.admin().smart());
        assertThat(controller.admin().identify(1, 0, 0).byteSize()).isEqualTo(4096);
        assertThat(refused[0])
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("fake:0: an admin command is in flight already");
    }
}
