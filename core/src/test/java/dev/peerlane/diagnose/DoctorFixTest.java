package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Shapes.A;
import static dev.peerlane.diagnose.Shapes.B;
import static dev.peerlane.diagnose.Shapes.DOWN_0;
import static dev.peerlane.diagnose.Shapes.DOWN_1;
import static dev.peerlane.diagnose.Shapes.ROOT;
import static dev.peerlane.diagnose.Shapes.bdf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.copy.FenceChoice;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Tests the doctor's fixes by applying them to the captured machine, and undoing them. */
class DoctorFixTest {
    /** Checks that need no fix, or that a person has to resolve. */
    private static final Set<Check> WITHOUT_CURE =
            EnumSet.of(
                    Check.KERNEL_IOMMUFD,
                    Check.ACS_TRANSLATED,
                    Check.ATS,
                    Check.SWITCHES,
                    Check.DPC_ARMED,
                    Check.CMB_ALIGNMENT,
                    Check.NOT_NVME);

    /**
     * Returns the cures that are only described in text, as changes to the tree: firmware, slots,
     * other kernels, root.
     */
    private static Map<Check, Consumer<TreeBuilder>> cures() {
        Map<Check, Consumer<TreeBuilder>> cures = new EnumMap<>(Check.class);
        cures.put(Check.NO_SYSFS, t -> t.nodes.putAll(Shapes.broadcom(0).nodes));
        cures.put(Check.DEVICE_ABSENT, t -> t.drive(B, DOWN_1));
        cures.put(Check.GROUP_NOT_VIABLE, t -> t.at(FactPair.OTHER_OF_GROUP).group = 99);
        cures.put(Check.IOMMU_WIDTH, DoctorFixTest::lowerTheBars);
        cures.put(Check.KERNEL_P2PDMA, t -> t.kernel("PCI_P2PDMA", "y"));
        cures.put(Check.KERNEL_VFIO, t -> t.kernel("VFIO_PCI", "m"));
        cures.put(Check.KERNEL_DMABUF, t -> t.kernel("VFIO_PCI_DMABUF", "y"));
        cures.put(
                Check.LOCKDOWN,
                t ->
                        t.texts.put(
                                "sys/kernel/security/lockdown",
                                "[none] integrity confidentiality"));
        cures.put(Check.ACS_UNREADABLE, DoctorFixTest::becomeRoot);
        cures.put(Check.CONFIG_CUT, DoctorFixTest::becomeRoot);
        cures.put(
                Check.HOST_BRIDGE,
                t -> {
                    t.upstream("0000:05:00.0", ROOT, Shapes.BROADCOM, 0xc030);
                    t.downstream("0000:06:00.0", "0000:05:00.0", Shapes.BROADCOM, 0xc030);
                    t.downstream("0000:06:01.0", "0000:05:00.0", Shapes.BROADCOM, 0xc030);
                    t.move(A, A, "0000:06:00.0");
                    t.move(B, B, "0000:06:01.0");
                });
        cures.put(
                Check.HOST_BRIDGE_PAIR,
                t -> {
                    t.rootPort("0000:00:02.0", Shapes.INTEL, 0x2f04);
                    t.move("0000:81:00.0", "0000:81:00.0", "0000:00:02.0");
                });
        cures.put(Check.LINK, t -> t.at(A).link(4, 4));
        cures.put(
                Check.ERRORS,
                t -> {
                    t.at(DOWN_0).config.store32(TreeBuilder.AER + 4, 0);
                    t.at(A).texts.put("aer_dev_fatal", "DLP 0\nTOTAL_ERR_FATAL 0");
                });
        cures.put(Check.DPC_TRIGGERED, t -> t.at(DOWN_1).config.store16(TreeBuilder.DPC + 8, 0));
        cures.put(Check.VMD, Shapes::turnVmdOff);
        cures.put(Check.SEGMENTS, t -> t.move("0001:01:00.0", "0000:05:00.0", "0000:00:01.0"));
        cures.put(
                Check.ADDRESSES,
                t ->
                        t.at("0001:05:00.0")
                                .texts
                                .put("resource", TreeBuilder.resource(0x40_0000_0000L)));
        cures.put(Check.NTB, t -> t.nodes.remove(bdf("0000:00:03.0")));
        cures.put(Check.SOCKETS, t -> t.at(B).texts.put("numa_node", "0"));
        cures.put(Check.VIRTUAL, t -> t.texts.put("sys/class/dmi/id/sys_vendor", "Acme"));
        cures.put(Check.CMB_UNKNOWN, t -> t.at(B).cmb(0x0004021f));
        cures.put(Check.CMB_FIT_UNKNOWN, t -> t.blocks(A, 512, B, 512, 1 << 20));
        cures.put(Check.NAMESPACE, t -> t.blocks(A, 512, B, 512, 4096));
        cures.put(Check.WRITE_PROTECTED, t -> t.blocks(A, 512, B, 512, 4096));
        cures.put(Check.BLOCKS, t -> t.blocks(A, 512, B, 512, 4096));
        cures.put(Check.FENCE_READBACK, t -> t.fence = FenceChoice.AUTO);
        return cures;
    }

    /** Checks whose cure is to use other memory. */
    private static final Map<Check, Buffer> OTHER_MEMORY =
            Map.of(
                    Check.WRITES_ONLY, Buffer.TARGET,
                    Check.SECOND_WAY, Buffer.SOURCE,
                    Check.CMB_ABSENT, Buffer.SOURCE,
                    Check.CMB_SMALL, Buffer.SOURCE,
                    Check.CMB_WDS, Buffer.SOURCE,
                    Check.CMB_RDS, Buffer.TARGET);

    private static void lowerTheBars(TreeBuilder t) {
        t.at(A).texts.put("resource", TreeBuilder.resource(0x8000_0000L));
        t.at(B).texts.put("resource", TreeBuilder.resource(0x9000_0000L));
    }

    private static void becomeRoot(TreeBuilder t) {
        t.nodes.values().forEach(n -> n.readableBytes = 4096);
    }

    private static List<Finding> of(Diagnosis diagnosis, Check check) {
        return diagnosis.findings().stream().filter(f -> f.check() == check).toList();
    }

    private static TreeBuilder broken(FactPair p) {
        return p.good().get().with(p.change());
    }

    @TestFactory
    Stream<DynamicTest> thePrintedFixClearsTheFindingAndItsUndoRestoresEveryByte() {
        return FactPair.all().stream()
                .filter(p ->
                        of(p.of(broken(p)), p.check()).stream().anyMatch(f -> !f.fix().isEmpty()))
                .flatMap(p -> Stream.of(false, true).map(boot -> typed(p, boot)));
    }

    private static DynamicTest typed(FactPair p, boolean boot) {
        return DynamicTest.dynamicTest(
                p.check().code() + (boot ? " at a boot" : " now"), () -> fixAndUndo(p, boot));
    }

    private static void fixAndUndo(FactPair p, boolean boot) {
        TreeBuilder tree = broken(p);
        Diagnosis ill = p.of(tree);
        List<Finding> fixable =
                of(ill, p.check()).stream()
                        .filter(f -> !Typist.actions(f.fix(), boot).isEmpty())
                        .toList();
        if (fixable.isEmpty()) {
            return;
        }
        Map<String, String> before = Typist.content(tree);
        Typist typist = new Typist(tree);
        typist.type(
                fixable.stream()
                        .flatMap(f -> Typist.actions(f.fix(), boot).stream())
                        .distinct()
                        .toList());
        Diagnosis well = p.of(tree);
        assertThat(of(well, p.check())).as("after the fix").isEmpty();
        assertThat(Typist.content(tree)).isNotEqualTo(before);
        if (fixable.getFirst().severity().blocks()) {
            assertThat(ill.isGo()).isFalse();
            assertThat(well.isGo()).as("after the fix: %s", well.findings()).isTrue();
        }
        typist.type(
                fixable.reversed().stream()
                        .flatMap(f -> Typist.actions(f.undo(), boot).stream())
                        .distinct()
                        .toList());
        assertThat(Typist.content(tree)).isEqualTo(before);
        assertThat(p.of(tree)).isEqualTo(ill);
    }

    @Test
    void noActionBindsAFunctionThatIsNoDriveOrBypassesTheGuards() {
        TreeBuilder vmd = Shapes.vmd().with(t -> t.at("10000:03:00.0").driver = "nvme");
        List<Finding> all = new ArrayList<>(Doctor.examine(vmd.snapshot()).findings());
        FactPair.all().forEach(p -> all.addAll(p.of(broken(p)).findings()));
        assertThat(all).extracting(Finding::check).contains(Check.GROUP_NOT_VIABLE, Check.DRIVER);
        for (Finding f : all) {
            for (Action action : f.fix()) {
                String line = Typist.text(action);
                assertThat(line)
                        .doesNotContain("unbind", "driver_override", "drivers_probe", "0e.0")
                        .doesNotContain("10000:");
                assertThat(line.matches("setpci.*ECAP_ACS.*=0000:00[0-9a-f][4-9c-f]"))
                        .as("turns redirection off without a look at guests: %s", line)
                        .isFalse();
                assertThat(line.matches("setpci.*=....:00e0"))
                        .as("a payload that the port above does not keep to: %s", line)
                        .isFalse();
            }
            assertThat(f.undo()).as("%s", f.fix()).hasSameSizeAs(f.fix());
        }
    }

    @TestFactory
    Stream<DynamicTest> findingsWithoutActionsAreClearedByTheDescribedCure() {
        Map<Check, Consumer<TreeBuilder>> cures = cures();
        return FactPair.all().stream()
                .filter(p -> cures.containsKey(p.check()) || OTHER_MEMORY.containsKey(p.check()))
                .map(p ->
                        DynamicTest.dynamicTest(
                                p.check().code(), () -> cured(p, cures.get(p.check()))));
    }

    private static void cured(FactPair p, Consumer<TreeBuilder> cure) {
        TreeBuilder tree = broken(p);
        Diagnosis ill = p.of(tree);
        Diagnosis well;
        if (cure == null) {
            Buffer other = OTHER_MEMORY.get(p.check());
            assertThat(p.check().cure()).containsPattern("Use (the|another) .*(CMB|device)");
            well = Doctor.examine(tree.snapshot(), bdf(p.source()), bdf(p.target()), other);
        } else {
            cure.accept(tree);
            well = p.of(tree);
            assertThat(of(well, p.check())).isEmpty();
        }
        assertThat(ill.has(p.check())).isTrue();
        assertThat(well.isGo()).as("%s", well.findings()).isTrue();
    }

    @Test
    void everyCodeHasActionsOrATestedCureOrNeedsNone() {
        Set<Check> covered = EnumSet.copyOf(WITHOUT_CURE);
        covered.addAll(cures().keySet());
        covered.addAll(OTHER_MEMORY.keySet());
        for (FactPair p : FactPair.all()) {
            if (of(p.of(broken(p)), p.check()).stream().anyMatch(f -> !f.fix().isEmpty())) {
                covered.add(p.check());
            }
        }
        assertThat(EnumSet.complementOf(EnumSet.copyOf(covered))).isEmpty();
        assertThat(WITHOUT_CURE)
                .filteredOn(c -> c != Check.NOT_NVME)
                .allMatch(c -> c.cure().equals("Nothing needs to be done."));
    }
}
