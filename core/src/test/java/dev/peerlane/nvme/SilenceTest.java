package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.block.PeerBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests when a controller is checked: not while it completes commands, and no later than necessary.
 */
class SilenceTest {
    private static final int POLLS_A_MILLISECOND = 16;

    private final FakeMachine m = Bench.withCmb(16);
    private final Bench.Taken taken = new Bench.Taken();
    private Controller controller;
    private NvmeBlockPort port;
    private PeerBuffer memory;

    @BeforeEach
    void open() {
        controller = Bench.open(m);
        controller.requireCmb().enable(m.dma);
        memory = controller.requireCmb().allocate(32 << 10, 4096);
        port = controller.namespace(1).port(4);
        port.attach(memory, 0, 4096, 4096, 8);
        m.controller.loads = 0;
    }

    @AfterEach
    void close() {
        controller.close();
        Bench.assertNothingLeft(m);
    }

    private void poll(int millis) {
        for (int i = 0; i < millis; i++) {
            for (int k = 0; k < POLLS_A_MILLISECOND; k++) {
                port.poll(4, taken);
            }
            m.clock.turn();
        }
    }

    private void submit(int slot) {
        assertThat(port.submitRead(slot, 0, 8)).isTrue();
        port.ring();
    }

    @Test
    void controllerThatCompletesCommandsIsNotChecked() {
        for (int i = 0; i < 20; i++) {
            m.controller.sleeps = true;
            submit(i % 4);
            poll(900);
            m.controller.sleeps = false;
            poll(2);
            assertThat(taken.slots).hasSize(i + 1);
        }
        assertThat(m.controller.loads).as("in 288,000 empty polls").isZero();
    }

    @Test
    void controllerThatCompletesOtherCommandsIsNotCheckedForASlowOne() {
        m.controller.statusOf = c -> c.slba() == 8 ? FakeController.NO_ANSWER : 0;
        assertThat(port.submitRead(3, 8, 8)).isTrue();
        for (int i = 0; i < 20; i++) {
            submit(i % 3);
            poll(900);
        }
        assertThat(m.controller.loads).isZero();
        port.quiesce();
    }

    @Test
    void controllerThatCompletesNothingIsCheckedOnceASecond() {
        m.controller.sleeps = true;
        submit(0);
        poll(990);
        assertThat(m.controller.loads).isZero();
        poll(110);
        assertThat(m.controller.loads).isEqualTo(1);
        poll(5_000);
        assertThat(m.controller.loads).isBetween(5, 6);
        m.controller.sleeps = false;
        poll(2);
    }

    @Test
    void timeBeforeACommandIsNoSilence() {
        submit(0);
        poll(2);
        poll(3_000);
        m.controller.sleeps = true;
        submit(0);
        poll(900);
        assertThat(m.controller.loads).isZero();
        m.controller.sleeps = false;
        poll(2);
    }

    @Test
    void idleControllerIsNotChecked() {
        poll(5_000);
        assertThat(m.controller.loads).isZero();
    }

    @ParameterizedTest
    @CsvSource({"gone, controller-gone", "3, controller-fatal", "0, controller-reset"})
    void failedControllerIsDetectedInLittleMoreThanASecond(String csts, String code) {
        m.controller.sleeps = true;
        submit(0);
        if (csts.equals("gone")) {
            m.controller.gone = true;
        } else {
            m.controller.csts = Integer.parseInt(csts);
        }
        ControllerFault e = catchThrowableOfType(ControllerFault.class, () -> poll(1_100));
        assertThat(e.code()).isEqualTo(code);
        assertThat(e).hasMessageContaining("fake:0").hasMessageContaining("in flight");
        m.controller.sleeps = false;
        m.controller.csts = 1;
        port.quiesce();
    }

    @Test
    void pendingLoadIsPolledAndNotStartedAgain() {
        m.loadsStayPending = true;
        m.controller.sleeps = true;
        submit(0);
        m.controller.csts = 3;
        poll(4_000);
        assertThat(m.loadsStarted).isEqualTo(1);
        m.loadsStayPending = false;
        ControllerFault e = catchThrowableOfType(ControllerFault.class, () -> poll(20));
        assertThat(e.code()).isEqualTo("controller-fatal");
        m.controller.sleeps = false;
        m.controller.csts = 1;
        port.quiesce();
    }

    @Test
    void valueLoadedBeforeACommandEndedIsIgnored() {
        m.loadsStayPending = true;
        m.controller.sleeps = true;
        submit(0);
        m.controller.csts = 3;
        poll(1_100);
        m.controller.csts = 1;
        m.controller.sleeps = false;
        submit(1);
        poll(2);
        assertThat(taken.slots).containsExactly(0, 1);
        m.loadsStayPending = false;
        m.controller.sleeps = true;
        submit(0);
        poll(500);
        m.controller.sleeps = false;
        poll(2);
        assertThat(m.loadsStarted).isEqualTo(1);
    }
}
