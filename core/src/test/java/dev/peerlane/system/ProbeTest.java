package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Session;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.FabricModel.PeerReads;
import dev.peerlane.emulator.model.FabricModel.PeerWrites;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.ConfigBytes;
import dev.peerlane.probe.Probe;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Probes of fabrics that do what they should, and of such that lie. */
class ProbeTest {
    @TempDir static Path state;

    private static final NamespaceModel PROTECTED =
            NamespaceModel.memory(1 << 20, 512).withWriteProtected(true);
    private static final NamespaceModel UNREADABLE =
            NamespaceModel.memory(1 << 20, 512).withMetadata(8, 0);

    private static DriveModel.Builder bare(String name) {
        return DriveModel.named(name).cmb(CmbModel.of(1 << 20));
    }

    private static DriveModel.Builder drive(String name) {
        return bare(name).memory(1 << 20, 512);
    }

    private static List<Probe.Result> probe(FabricModel.Builder model) {
        FabricModel built = model.time(FabricModel.Time.VIRTUAL).build();
        try (Session session = Session.of(new EmulatedFabric(built))) {
            return Probe.between(session, "emu:a", "emu:b");
        }
    }

    private static FabricModel.Builder two() {
        return FabricModel.builder().drive(drive("a").build()).drive(drive("b").build());
    }

    @Test
    void behindAHonestSwitchBothDirectionsWorkAsPredicted() {
        List<Probe.Result> results = probe(two());
        assertThat(results).hasSize(4);
        assertThat(results).allMatch(r -> r.outcome().equals("works") && r.agrees());
        assertThat(results).extracting(Probe.Result::direction).contains("write", "read");
        assertThat(results).allMatch(r -> r.newErrors().isEmpty());
    }

    @ParameterizedTest
    @EnumSource(value = PeerReads.class, mode = EnumSource.Mode.EXCLUDE, names = "NORMAL")
    void aReadThatReturnsAnythingElseIsFoundAndDiffersFromThePrediction(PeerReads lie) {
        for (Probe.Result r : probe(two().peerReads(lie))) {
            boolean read = r.direction().equals("read");
            assertThat(r.outcome()).as(r.words()).isEqualTo(read ? "failed" : "works");
            assertThat(r.agrees()).isEqualTo(!read);
        }
    }

    @Test
    void aWriteThatVanishesWithSuccessIsFound() {
        for (Probe.Result r : probe(two().peerWrites(PeerWrites.VANISH))) {
            boolean write = r.direction().equals("write");
            assertThat(r.outcome()).as(r.words()).isEqualTo(write ? "failed" : "works");
            assertThat(r.words()).contains(write ? "DIFFERS" : "works");
        }
    }

    /** As where a bridge takes packets of another length than it should. */
    @ParameterizedTest
    @ValueSource(ints = {0, 256, 504})
    void aSingleWordOfABlockThatDoesNotArriveIsFound(int word) {
        FabricModel model = two().time(FabricModel.Time.VIRTUAL).build();
        AnyAccessFabric fabric = new AnyAccessFabric(new EmulatedFabric(model), 0, () -> {});
        fabric.lostByPeers = word;
        try (Session session = Session.of(fabric)) {
            assertThat(Probe.between(session, "emu:a", "emu:b"))
                    .filteredOn(r -> r.direction().equals("write"))
                    .hasSize(2)
                    .allMatch(r -> r.outcome().equals("failed"))
                    .allMatch(r -> r.detail().contains("1 of 64 words did not arrive"));
        }
    }

    @Test
    void withoutCompareReadsAreNotProbedAndNeverWork() {
        FabricModel.Builder model =
                FabricModel.builder()
                        .drive(drive("a").compare(false).build())
                        .drive(drive("b").compare(false).build());
        List<Probe.Result> results = probe(model);
        assertThat(results).filteredOn(r -> r.direction().equals("read")).hasSize(2);
        assertThat(results)
                .filteredOn(r -> r.direction().equals("read"))
                .allMatch(r -> r.outcome().equals("not-probed"))
                .allMatch(r -> r.detail().contains("Compare"));
    }

    @ParameterizedTest
    @EnumSource(
            value = PeerWrites.class,
            names = {"NORMAL", "VANISH"})
    void withoutAReadableNamespacePeerWritesAreProbedByIdentify(PeerWrites fabric) {
        FabricModel.Builder model =
                FabricModel.builder()
                        .drive(bare("a").namespace(UNREADABLE).build())
                        .drive(drive("b").build())
                        .peerWrites(fabric);
        boolean honest = fabric == PeerWrites.NORMAL;
        List<Probe.Result> results = probe(model);
        assertThat(results).hasSize(4);
        Probe.Result write = results.get(0);
        assertThat(write.initiator()).isEqualTo("emu:a");
        assertThat(write.outcome()).isEqualTo(honest ? "works" : "failed");
        assertThat(write.agrees()).isEqualTo(honest);
        assertThat(write.detail()).contains("Identify");
        Probe.Result read = results.get(1);
        assertThat(read.outcome()).isEqualTo("not-probed");
        assertThat(read.detail()).contains("emu:a/n1").contains("metadata");
    }

    @Test
    void memoryOfAThirdDeviceIsProbedFromBothSides() {
        FabricModel.Builder model =
                FabricModel.builder()
                        .drive(DriveModel.named("a").memory(1 << 20, 512).build())
                        .drive(DriveModel.named("b").memory(1 << 20, 4096).build())
                        .drive(drive("c").build());
        try (Session session =
                Session.of(new EmulatedFabric(model.time(FabricModel.Time.VIRTUAL).build()))) {
            List<Probe.Result> results = Probe.through(session, "emu:a", "emu:b", "emu:c");
            assertThat(results)
                    .extracting(Probe.Result::initiator)
                    .containsExactly("emu:a", "emu:a", "emu:b", "emu:b");
            assertThat(results)
                    .allMatch(r -> r.owner().equals("emu:c") && r.outcome().equals("works"));
        }
    }

    @Test
    void withoutACmbNothingIsProbed() {
        FabricModel.Builder model =
                FabricModel.builder()
                        .drive(DriveModel.named("a").memory(1 << 20, 512).build())
                        .drive(drive("b").build());
        List<Probe.Result> results = probe(model);
        assertThat(results)
                .filteredOn(r -> r.owner().equals("emu:a"))
                .hasSize(2)
                .allMatch(r -> r.outcome().equals("not-probed"));
    }

    @Test
    void noMediumIsWritten() {
        FabricModel.Builder model =
                FabricModel.builder()
                        .drive(bare("a").namespace(PROTECTED).build())
                        .drive(bare("b").namespace(PROTECTED).build());
        assertThat(probe(model)).allMatch(r -> r.outcome().equals("works"));
    }

    @ParameterizedTest
    @EnumSource(Shown.class)
    void errorsThatAreCountedMeanwhileAreNamed(Shown shown) {
        FabricModel model = two().time(FabricModel.Time.VIRTUAL).build();
        try (Session session = Session.of(new Erring(new EmulatedFabric(model), shown, false))) {
            List<Probe.Result> results = Probe.between(session, "emu:a", "emu:b");
            assertThat(results).hasSize(4);
            assertThat(results)
                    .allMatch(r -> r.newErrors().size() == 5)
                    .allMatch(r -> r.words().contains("new errors at [0000:"));
        }
    }

    @Test
    void aFatalErrorIsWarnedOfUnlessAPortContainsIt() {
        EmulatedFabric fabric = new EmulatedFabric(two().build());
        String one = fabric.machine().nvmeFunctions().getFirst().bdf().toString();
        String other = fabric.machine().nvmeFunctions().getLast().bdf().toString();
        assertThat(Probe.warning(fabric, one, other)).as("nothing real can break").isEmpty();
        assertThat(Probe.warning(new Erring(fabric, Shown.COUNTED, false), one, other))
                .hasValueSatisfying(
                        w -> assertThat(w).contains(one, other, "can take the machine down"));
        assertThat(Probe.warning(new Erring(fabric, Shown.COUNTED, true), one, other)).isEmpty();
        fabric.close();
    }

    /** Where a configuration space or the kernel shows an error. */
    private enum Shown {
        UNCORRECTABLE,
        CORRECTABLE,
        COUNTED
    }

    /**
     * As if it were this machine's: every look at it reads a configuration space of each function,
     * with AER and DPC, that has one more error.
     */
    private static final class Erring extends KeptFabric {
        private static final int AER = 0x100;
        private static final int DPC = 0x140;

        private final Shown shown;
        private final boolean contains;
        private int errors;

        Erring(Fabric fabric, Shown shown, boolean contains) {
            super(fabric);
            this.shown = shown;
            this.contains = contains;
        }

        @Override
        public String kind() {
            return "vfio";
        }

        @Override
        public FabricTraits traits() {
            return new FabricTraits(state, null);
        }

        @Override
        public Machine machine() {
            errors++;
            Machine real = super.machine();
            List<PciFunction> functions =
                    real.functions().stream().map(f -> f.with(details(f.details()))).toList();
            return new Machine(functions, real.rootComplex());
        }

        private PciDetails details(PciDetails d) {
            ConfigBytes config = new ConfigBytes(new byte[4096]);
            config.store32(AER, PciDetails.EXT_AER | (1 << 16) | (DPC << 20));
            config.store32(AER + 4, shown == Shown.UNCORRECTABLE ? 1 << errors : 0);
            config.store32(AER + 0x10, shown == Shown.CORRECTABLE ? 1 << errors : 0);
            config.store32(DPC, PciDetails.EXT_DPC | (1 << 16));
            config.store16(DPC + 6, contains ? 1 : 0);
            int counted = shown == Shown.COUNTED ? errors : 0;
            return PciDetails.of(config)
                    .in(d.link(), counted, d.iommuGroup(), d.numaNode(), d.driver());
        }
    }
}
