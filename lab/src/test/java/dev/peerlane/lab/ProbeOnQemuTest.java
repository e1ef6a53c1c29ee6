package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Session;
import dev.peerlane.probe.Probe;
import dev.peerlane.qtest.QtestFabric;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests probes on QEMU's controllers. */
@Tag("qemu")
class ProbeOnQemuTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsPredictedIsMeasuredBelowASwitchAndAcrossRootPorts(boolean iommu) {
        Qemu.Builder machine =
                Qemu.machine()
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd2").cmbMib(4));
        try (Qemu qemu = (iommu ? machine.iommu(39) : machine).start()) {
            QtestFabric fabric = qemu.attach();
            List<String> all = fabric.locators();
            try (Session session = Session.of(fabric)) {
                for (String other : all.subList(1, all.size())) {
                    List<Probe.Result> results = Probe.between(session, all.getFirst(), other);
                    assertThat(results)
                            .hasSize(4)
                            .allMatch(r -> r.outcome().equals("works") && r.agrees());
                }
            }
        }
    }
}
