package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Shapes.A;
import static dev.peerlane.diagnose.Shapes.B;
import static dev.peerlane.diagnose.Shapes.DOWN_0;
import static dev.peerlane.diagnose.Shapes.DOWN_1;
import static dev.peerlane.diagnose.Shapes.INTEL;
import static dev.peerlane.diagnose.Shapes.bdf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DoctorTest {
    @TestFactory
    Stream<DynamicTest> eachFactAloneFlipsTheAnswer() {
        return FactPair.all().stream()
                .map(p -> DynamicTest.dynamicTest(p.check().code(), () -> flips(p)));
    }

    private static void flips(FactPair p) {
        TreeBuilder tree = p.good().get();
        Diagnosis before = p.of(tree);
        assertThat(before.has(p.check())).as("before: %s", before.findings()).isFalse();
        p.change().accept(tree);
        Diagnosis after = p.of(tree);
        assertThat(after.has(p.check())).as("after: %s", after.findings()).isTrue();
        for (Finding f : after.findings()) {
            if (f.check() == p.check()) {
                assertThat(f.read()).isNotEmpty();
                assertThat(f.detail()).isNotBlank();
                assertThat(f.fix().isEmpty()).isEqualTo(f.undo().isEmpty());
                if (f.severity().blocks()) {
                    assertThat(before.isGo()).as("before: %s", before.findings()).isTrue();
                    assertThat(after.isGo()).isFalse();
                    assertThat(after.against())
                            .isEqualTo(
                                    f.severity() == Severity.CANNOT
                                            ? Category.MACHINE
                                            : Category.REFUSED);
                }
            }
        }
    }

    @Test
    void severalPathsDoNotHarmPeerReads() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.splitWrites = Set.of(Set.of(bdf(A), bdf(B)));
        Diagnosis read = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.SOURCE);
        assertThat(read.has(Check.SECOND_WAY)).isTrue();
        assertThat(read.isGo()).as("%s", read.findings()).isTrue();
        Diagnosis any = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.AUTO);
        assertThat(any.owner()).isEqualTo(bdf(A));
        assertThat(any.rejected().getFirst()).contains("second-way");
    }

    /** The setting of the device that sends the packets counts, not that of the receiver. */
    @Test
    void relaxedOrderingIsFoundAtTheDeviceThatEnablesIt() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.at(A).config.store16(0x48, 0x0030);
        Diagnosis diagnosis = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.TARGET);
        assertThat(diagnosis.findings())
                .filteredOn(f -> f.check() == Check.RELAXED_ORDERING)
                .extracting(Finding::subject)
                .containsExactly("" + bdf(A));
    }

    @Test
    void everyCodeHasAPair() {
        EnumSet<Check> seen = EnumSet.noneOf(Check.class);
        FactPair.all().forEach(p -> seen.add(p.check()));
        assertThat(EnumSet.complementOf(seen)).isEmpty();
    }

    @Test
    void theRoutesAreThoseOfACopysPlan() {
        for (TreeBuilder tree :
                List.of(
                        Shapes.broadcom(0x1d),
                        Shapes.microchip(0),
                        Shapes.rootPorts(INTEL, 0x1234),
                        Shapes.twoSockets(0x2f00),
                        Shapes.vmd(),
                        Shapes.cascade())) {
            Snapshot snapshot = tree.snapshot();
            List<Bdf> drives =
                    snapshot.machine().nvmeFunctions().stream().map(f -> f.bdf()).toList();
            Bdf source = drives.getFirst();
            Bdf target = drives.getLast();
            Diagnosis diagnosis = Doctor.examine(snapshot, source, target, Buffer.TARGET);
            assertThat(diagnosis.legs().getFirst().route())
                    .isEqualTo(Route.between(snapshot.machine(), source, target));
            if (!diagnosis.legs().getFirst().allowed()) {
                assertThat(diagnosis.isGo()).isFalse();
            }
        }
    }

    @Test
    void autoTakesTheFirstMemoryThatWorksAndExplainsWhyNotTheOthers() {
        TreeBuilder tree = Shapes.broadcom(0);
        Diagnosis both = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.AUTO);
        assertThat(both.owner()).isEqualTo(bdf(B));
        tree.at(B).cmb(0);
        Diagnosis diagnosis = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.AUTO);
        assertThat(diagnosis.isGo()).isTrue();
        assertThat(diagnosis.owner()).isEqualTo(bdf(A));
        assertThat(diagnosis.rejected()).singleElement().asString().contains("cmb-absent");
    }

    @Test
    void aCmbThatLinuxDoesNotShowIsUnknownAndNotAbsent() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.at(B).withoutCmb().texts.put("nvme/nvme0/state", "live");
        Diagnosis d = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.TARGET);
        assertThat(d.has(Check.CMB_ABSENT)).isFalse();
        assertThat(d.has(Check.CMB_UNKNOWN)).isTrue();
    }

    @Test
    void amdIsTrustedSinceZenAndReadsNotBefore() {
        for (int family : List.of(0x15, 0x17, 0x19, 0x1a)) {
            TreeBuilder tree = Shapes.rootPorts(Shapes.AMD, 0x1480);
            tree.cpu("AuthenticAMD", family, 1);
            Diagnosis reads = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.SOURCE);
            Diagnosis writes = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.TARGET);
            assertThat(reads.isGo()).isEqualTo(family >= 0x17);
            assertThat(writes.isGo()).isTrue();
            assertThat(writes.has(Check.WRITES_ONLY)).isEqualTo(family < 0x17);
        }
    }

    @Test
    void redirectThroughATrustedRootComplexIsADetourOnly() {
        TreeBuilder tree = Shapes.broadcom(0x1d);
        tree.at("0000:00:00.0").texts.put("device", "0x09a2");
        Diagnosis diagnosis = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.TARGET);
        assertThat(diagnosis.isGo()).isTrue();
        assertThat(diagnosis.has(Check.ACS_REQUEST)).isTrue();
        assertThat(diagnosis.legs().getFirst().route().peerWrites())
                .isEqualTo(Verdict.ROOT_TRUSTED);
    }

    @Test
    void thirtyTwoDrivesBehindCascadedSwitchesAreAllDirect() {
        Snapshot snapshot = Shapes.cascade().snapshot();
        assertThat(snapshot.machine().nvmeFunctions()).hasSize(32);
        Diagnosis diagnosis = Doctor.examine(snapshot);
        assertThat(diagnosis.isGo()).isTrue();
        assertThat(diagnosis.has(Check.SWITCHES)).isTrue();
    }

    /** An unprivileged user never gets a go, and the findings tell to run as root. */
    @Test
    void withoutRootNothingIsAGo() {
        for (Supplier<TreeBuilder> shape :
                List.<Supplier<TreeBuilder>>of(
                        () -> Shapes.broadcom(0),
                        () -> Shapes.microchip(0x1d),
                        () -> Shapes.rootPorts(INTEL, 0x09a2),
                        () -> Shapes.rootPorts(Shapes.AMD, 0x1480).cpu("AuthenticAMD", 0x19, 1),
                        () -> Shapes.twoSockets(0x09a2),
                        Shapes::cascade)) {
            TreeBuilder tree = shape.get();
            tree.nodes.values().forEach(n -> n.readableBytes = 64);
            Snapshot snapshot = tree.snapshot();
            List<PciFunction> drives = snapshot.machine().nvmeFunctions();
            Diagnosis pair =
                    Doctor.examine(
                            snapshot, drives.getFirst().bdf(), drives.getLast().bdf(), Buffer.AUTO);
            for (Diagnosis each : List.of(pair, Doctor.examine(snapshot))) {
                assertThat(each.against()).as("%s", each.findings()).isEqualTo(Category.REFUSED);
                assertThat(each.findings())
                        .filteredOn(f -> f.check() == Check.CONFIG_CUT)
                        .isNotEmpty()
                        .allMatch(f -> f.detail().contains("unknown: run as root"));
            }
        }
    }

    /** A root complex that is trusted, as since Zen, changes nothing. */
    @ParameterizedTest
    @ValueSource(ints = {0x15, 0x17})
    void belowASwitchOnlyRootGetsAnAnswer(int family) {
        TreeBuilder tree = Shapes.broadcom(0).cpu("AuthenticAMD", family, 2);
        assertThat(Route.between(tree.snapshot().machine(), bdf(A), bdf(B)).peerReads())
                .isEqualTo(Verdict.DIRECT);
        tree.nodes.values().forEach(n -> n.readableBytes = 64);
        Route route = Route.between(tree.snapshot().machine(), bdf(A), bdf(B));
        assertThat(route.peerReads()).isEqualTo(Verdict.UNKNOWN);
        assertThat(route.kernelAllows()).isFalse();
        assertThat(Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.AUTO).isGo()).isFalse();
    }

    @Test
    void aMachineIsGoOnlyIfDataCanMoveBetweenTwoOfItsControllers() {
        assertThat(Doctor.examine(Shapes.broadcom(0).snapshot()).isGo()).isTrue();
        List<Consumer<TreeBuilder>> bars =
                List.of(
                        t -> t.nodes.values().forEach(n -> n.group = -1),
                        t -> List.of(A, B).forEach(d -> t.at(d).cmb(0)),
                        t -> List.of(A, B).forEach(d -> t.at(d).cmb(0x00040207)),
                        t -> List.of(A, B).forEach(d -> t.at(d).payload(2)),
                        t -> List.of(DOWN_0, DOWN_1).forEach(d -> t.at(d).acs(0x1d)));
        for (Consumer<TreeBuilder> bar : bars) {
            Diagnosis barred = Doctor.examine(Shapes.broadcom(0).with(bar).snapshot());
            assertThat(barred.isGo()).as("%s", barred.findings()).isFalse();
        }
        Diagnosis held =
                Doctor.examine(
                        Shapes.broadcom(0)
                                .with(t -> List.of(A, B).forEach(d -> t.at(d).driver = "nvme"))
                                .snapshot());
        assertThat(held.isGo()).as("%s", held.findings()).isTrue();
        assertThat(held.has(Check.DRIVER)).isTrue();
    }

    @Test
    void codesAreUniqueAndInOneForm() {
        List<String> codes = Stream.of(Check.values()).map(Check::code).toList();
        assertThat(codes).doesNotHaveDuplicates().allMatch(c -> c.matches("[a-z0-9-]+"));
        assertThat(Stream.of(Check.values()).map(Check::cure)).noneMatch(Objects::isNull);
    }
}
