package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.Fault.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests what may be wrong after which fault, and how a copy may end. */
class PromiseTest {
    private static List<Fault> of(Kind... kinds) {
        List<Fault> faults = new ArrayList<>();
        for (Kind kind : kinds) {
            faults.add(kind.isOfHost() ? Fault.ofHost(kind) : Fault.at(kind, "a"));
        }
        return faults;
    }

    @Test
    void onlyFaultsThatSaySuccessMaySpoilData() {
        for (Kind kind : Kind.values()) {
            long bytes = Promise.wrongBytes(of(kind), "sentinel", 8192);
            boolean lies =
                    kind == Kind.WRONG_DATA
                            || kind == Kind.CMB_HOLE
                            || kind == Kind.DROPPED_WRITE
                            || kind == Kind.DUPLICATED_WRITE
                            || kind == Kind.LATE_DATA;
            assertThat(bytes > 0).as("%s", kind).isEqualTo(lies);
        }
        assertThat(Promise.wrongBytes(of(Kind.WRONG_DATA, Kind.DROPPED_WRITE), "none", 8192))
                .isEqualTo(4097);
        assertThat(Promise.wrongBytes(of(Kind.LATE_DATA), "sentinel", 8192)).isEqualTo(8192);
        assertThat(Promise.wrongBytes(of(Kind.DELAYED_WRITE), "canary", 8192)).isZero();
        assertThat(Promise.wrongBytes(of(Kind.DELAYED_WRITE), "readback", 8192)).isPositive();
    }

    @Test
    void anErrorThatNoFaultExplainsIsNotExplained() {
        assertThat(Promise.explains(of(), "read-failed")).isFalse();
        assertThat(Promise.explains(of(Kind.WRONG_CID), "read-failed")).isFalse();
        assertThat(Promise.explains(of(Kind.WRONG_CID, Kind.STATUS), "read-failed")).isTrue();
        for (Kind kind : Kind.values()) {
            assertThat(Promise.explains(of(kind), "interrupted")).as("%s", kind).isFalse();
        }
    }
}
