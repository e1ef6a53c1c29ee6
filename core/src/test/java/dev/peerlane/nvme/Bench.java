package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.Completions;
import dev.peerlane.spec.wire.Cmbsz;
import java.util.ArrayList;
import java.util.List;

/** Helpers of the tests in this package. */
final class Bench {
    static final long TIMEOUT = 50_000_000;
    static final ControllerOptions OPTIONS =
            ControllerOptions.DEFAULTS.withTimeoutNanos(TIMEOUT).withAsyncEvents(0);

    private Bench() {}

    static Controller open(FakeMachine m) {
        return Controller.open(m.device, m.dma, m.clock, OPTIONS);
    }

    static FakeMachine withCmb(int mebibytesTimes256) {
        FakeMachine m = new FakeMachine();
        m.controller.bar2Bytes = 1 << 20;
        m.controller.cap = m.controller.cap.withCmbs(true);
        m.controller.cmbsz = new Cmbsz(0).withSz(mebibytesTimes256).withRds(true).withWds(true);
        return m;
    }

    static void assertNothingLeft(FakeMachine m) {
        assertThat(m.violations).isEmpty();
        assertThat(m.host).as("host buffers").isEmpty();
        assertThat(m.mappings).as("mappings").isZero();
        assertThat(m.controller.gone || !m.controller.isEnabled() || !m.device.isBusMaster())
                .as("controller stopped")
                .isTrue();
    }

    /** The completions in the order of arrival. */
    static final class Taken extends Completions {
        final List<Integer> slots = new ArrayList<>();
        final List<Integer> statuses = new ArrayList<>();

        @Override
        public void completed(int slot, int status) {
            slots.add(slot);
            statuses.add(status);
        }
    }

    /** Polls until nothing is in flight. */
    static Taken drain(FakeMachine m, NvmeBlockPort port) {
        Taken taken = new Taken();
        boolean done =
                m.clock.await(
                        () -> {
                            port.poll(64, taken);
                            return port.inFlight() == 0;
                        },
                        TIMEOUT);
        assertThat(done).as("drained").isTrue();
        return taken;
    }
}
