package dev.peerlane.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Session;
import dev.peerlane.diagnose.CmbFacts;
import dev.peerlane.diagnose.NamespaceFacts;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.spec.wire.Cmbebs;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SnapshotsTest {
    private static DriveModel.Builder drive(String name, boolean overtaken) {
        CmbModel cmb = CmbModel.of(65_536).withVersion(CmbModel.Version.V1_4);
        return DriveModel.named(name).cmb(cmb.withRates(Cmbebs.ofBytes(4096, overtaken).raw(), 0));
    }

    @Test
    void theDoctorGetsTheFactsThatACopyReadsFromTheDevices() {
        NamespaceModel plain = NamespaceModel.memory(1 << 20, 4096);
        FabricModel model =
                FabricModel.builder()
                        .drive(
                                drive("a", true)
                                        .namespace(plain)
                                        .namespace(plain.withWriteProtected(true))
                                        .namespace(plain.withMetadata(8, 0))
                                        .build())
                        .drive(drive("b", false).namespace(plain).build())
                        .build();
        try (Session session = Session.of(new EmulatedFabric(model))) {
            Snapshot told = Snapshots.of(session);
            assertThat(told.cmbs())
                    .extracting(CmbFacts::loadsOvertakeWrites)
                    .containsExactly(true, false);
            Map<Integer, NamespaceFacts> ofA =
                    told.namespaces().stream()
                            .filter(n -> n.owner().equals(told.cmbs().getFirst().owner()))
                            .collect(Collectors.toMap(NamespaceFacts::nsid, n -> n));
            assertThat(ofA.get(1).unusable()).isNull();
            assertThat(ofA.get(1).readOnly()).isNull();
            assertThat(ofA.get(2).readOnly()).contains("write protected");
            assertThat(ofA.get(3).unusable()).contains("emu:a/n3 has 8 bytes of metadata");
            assertThat(ofA.get(1).blockBytes()).isEqualTo(4096);
            assertThat(ofA.get(3).blockBytes()).isZero();
        }
    }
}
