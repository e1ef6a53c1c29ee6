package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Shapes.A;
import static dev.peerlane.diagnose.Shapes.B;
import static dev.peerlane.diagnose.Shapes.DOWN_0;
import static dev.peerlane.diagnose.Shapes.DOWN_1;
import static dev.peerlane.diagnose.Shapes.INTEL;
import static dev.peerlane.diagnose.Shapes.bdf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigBytes;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class DoctorTest {
    private static final Pattern SETPCI =
            Pattern.compile(
                    "setpci -s (\\S+) (CAP_EXP|ECAP_ACS|ECAP_DPC)\\+(\\d+)\\.w=(\\w{4}):(\\w{4})");

    /** A machine without a fault, and the change that makes one. */
    private record Pair(
            Check check,
            Supplier<TreeBuilder> good,
            Consumer<TreeBuilder> change,
            String source,
            String target,
            Buffer buffer) {
        Diagnosis of(TreeBuilder tree) {
            return source.isEmpty()
                    ? Doctor.examine(tree.snapshot())
                    : Doctor.examine(tree.snapshot(), bdf(source), bdf(target), buffer);
        }
    }

    private static Pair pair(Check check, Consumer<TreeBuilder> change) {
        return new Pair(check, () -> Shapes.broadcom(0), change, A, B, Buffer.TARGET);
    }

    private static Pair text(Check check, String path, String value) {
        return pair(check, t -> t.texts.put(path, value));
    }

    private static Pair kernel(Check check, String... off) {
        return pair(check, t -> List.of(off).forEach(o -> t.kernel(o, "n")));
    }

    private static Pair roots(Check check, Consumer<TreeBuilder> change, Buffer buffer) {
        return new Pair(check, () -> Shapes.rootPorts(INTEL, 0x09a2), change, A, B, buffer);
    }

    private static void client(TreeBuilder t) {
        t.cpu("GenuineIntel", 6, 0x9e);
        t.at("0000:00:00.0").config.store16(2, 0x3e1f);
        t.at("0000:00:00.0").texts.put("device", "0x3e1f");
    }

    private static List<Pair> pairs() {
        List<Pair> pairs = new ArrayList<>();
        pairs.add(
                new Pair(
                        Check.NO_SYSFS,
                        () -> Shapes.broadcom(0),
                        t -> t.nodes.clear(),
                        "",
                        "",
                        Buffer.AUTO));
        pairs.add(pair(Check.DEVICE_ABSENT, t -> t.nodes.remove(bdf(B))));
        pairs.add(pair(Check.NOT_NVME, t -> t.at(B).texts.put("class", "0x020000")));
        pairs.add(pair(Check.DRIVER, t -> t.at(A).driver = "nvme"));
        pairs.add(pair(Check.NO_IOMMU, t -> t.at(A).group = -1));
        pairs.add(
                pair(
                        Check.GROUP_NOT_VIABLE,
                        t -> {
                            var other = t.other("0000:05:00.0", DOWN_0, 0x15b3, 1, 0x020000);
                            other.driver = "mlx5_core";
                            other.group = t.at(A).group;
                        }));
        pairs.add(text(Check.MEMLOCK, "proc/self/limits", "Max locked memory 65536 65536 bytes"));
        pairs.add(
                text(
                        Check.HUGEPAGES,
                        "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
                        "0"));
        // MGAW 26h + 1 = 39 bits; the BARs end beyond 2^37, so 24h + 1 = 37
        pairs.add(
                text(Check.IOMMU_WIDTH, "sys/class/iommu/dmar0/intel-iommu/cap", "8d2008c2240406"));
        pairs.add(
                pair(
                        Check.IOMMU_WIDTH,
                        t -> {
                            t.texts.remove("sys/class/iommu/dmar0/intel-iommu/cap");
                            t.texts.put("sys/class/iommu/ivhd0/amd-iommu/features", "800:0");
                            // IVinfo: VASize 36
                            t.texts.put(Capture.IVRS, "IVRS" + "\0".repeat(34) + "\u0012\0");
                        }));
        pairs.add(kernel(Check.KERNEL_P2PDMA, "PCI_P2PDMA"));
        pairs.add(
                pair(
                        Check.KERNEL_VFIO,
                        t -> {
                            t.kernel("VFIO_PCI", "n");
                            t.texts.remove("sys/module/vfio_pci/refcnt");
                        }));
        pairs.add(kernel(Check.KERNEL_IOMMUFD, "IOMMUFD"));
        pairs.add(kernel(Check.KERNEL_DMABUF, "VFIO_IOMMU_TYPE1", "VFIO_PCI_DMABUF"));
        pairs.add(
                text(
                        Check.LOCKDOWN,
                        "sys/kernel/security/lockdown",
                        "none [integrity] confidentiality"));
        pairs.add(pair(Check.ACS_UNREADABLE, t -> t.at(DOWN_0).readableBytes = 64));
        pairs.add(pair(Check.CONFIG_CUT, t -> t.at(A).readableBytes = 64));
        pairs.add(pair(Check.ACS_REQUEST, t -> t.at(DOWN_0).acs(0x04)));
        pairs.add(pair(Check.ACS_COMPLETION, t -> t.at(DOWN_1).acs(0x08)));
        pairs.add(pair(Check.ACS_EGRESS, t -> t.at(DOWN_0).acs(0x20)));
        pairs.add(
                new Pair(
                        Check.ACS_TRANSLATED,
                        () -> Shapes.microchip(0x1d),
                        t -> t.at(DOWN_0).acs(0x5d),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(
                pair(
                        Check.ATS,
                        t -> {
                            ConfigBytes config = t.at(A).config;
                            config.store32(TreeBuilder.SERIAL, 0x0003 | (1 << 16) | (0x160 << 20));
                            config.store32(TreeBuilder.ATS, 0x000f | (1 << 16));
                            config.store16(TreeBuilder.ATS + 6, 0x8000);
                        }));
        pairs.add(
                roots(
                        Check.HOST_BRIDGE,
                        t -> t.at("0000:00:00.0").texts.put("device", "0x1234"),
                        Buffer.TARGET));
        pairs.add(
                new Pair(
                        Check.HOST_BRIDGE_PAIR,
                        () -> Shapes.twoSockets(0x09a2),
                        t -> {
                            t.at("0000:00:00.0").texts.put("device", "0x2f00");
                            t.at("0000:80:00.0").texts.put("device", "0x2f00");
                        },
                        A,
                        "0000:81:00.0",
                        Buffer.TARGET));
        pairs.add(roots(Check.WRITES_ONLY, DoctorTest::client, Buffer.TARGET));
        pairs.add(roots(Check.WRITES_ONLY, DoctorTest::client, Buffer.SOURCE));
        for (Buffer buffer : List.of(Buffer.TARGET, Buffer.SOURCE)) {
            pairs.add(
                    new Pair(
                            Check.WRITES_ONLY,
                            () -> Shapes.rootPorts(Shapes.AMD, 0x1450).cpu("AuthenticAMD", 0x17, 1),
                            t -> t.cpu("AuthenticAMD", 0x15, 2),
                            A,
                            B,
                            buffer));
        }
        pairs.add(
                new Pair(
                        Check.HOST_BRIDGE,
                        () -> Shapes.rootPorts(INTEL, 0x1234).cpu("GenuineIntel", 6, 0x9e),
                        t -> t.cpu("GenuineIntel", 6, 0xa7),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(pair(Check.LINK, t -> t.at(A).link(4, 1)));
        pairs.add(pair(Check.PAYLOAD, t -> t.at(A).payload(2)));
        pairs.add(pair(Check.RELAXED_ORDERING, t -> t.at(A).config.store16(0x48, 0x0030)));
        pairs.add(pair(Check.ERRORS, t -> t.at(DOWN_0).config.store32(TreeBuilder.AER + 4, 0x10)));
        pairs.add(
                pair(
                        Check.ERRORS,
                        t -> t.at(A).texts.put("aer_dev_fatal", "DLP 1\nTOTAL_ERR_FATAL 1")));
        pairs.add(pair(Check.DPC_TRIGGERED, t -> t.at(DOWN_1).config.store16(0x188, 1)));
        pairs.add(pair(Check.DPC_ARMED, t -> t.at(DOWN_1).config.store16(0x186, 1)));
        pairs.add(
                new Pair(
                        Check.VMD,
                        () -> Shapes.rootPorts(INTEL, 0x09a2),
                        t -> {
                            t.nodes.clear();
                            t.nodes.putAll(Shapes.vmd().nodes);
                        },
                        "",
                        "",
                        Buffer.AUTO));
        pairs.add(
                new Pair(
                        Check.SEGMENTS,
                        () -> Shapes.rootPorts(INTEL, 0x09a2),
                        t -> {
                            t.host("0001:00:00.0", INTEL, 0x09a2);
                            t.rootPort("0001:00:01.0", INTEL, 0x352a);
                            t.drive("0001:01:00.0", "0001:00:01.0");
                        },
                        "",
                        "",
                        Buffer.AUTO));
        pairs.add(
                pair(
                        Check.ADDRESSES,
                        t ->
                                t.other("0001:05:00.0", null, 0x15b3, 1, 0x020000)
                                        .texts
                                        .put("resource", t.at(B).texts.get("resource"))));
        pairs.add(
                pair(
                        Check.NTB,
                        t ->
                                t.other("0000:00:03.0", null, INTEL, 0x2f0d, 0x068000).driver =
                                        "ntb_x"));
        pairs.add(
                new Pair(
                        Check.SWITCHES,
                        () -> Shapes.broadcom(0),
                        t -> {
                            t.nodes.remove(bdf(B));
                            t.upstream("0000:05:00.0", DOWN_1, Shapes.BROADCOM, 0xc030);
                            t.downstream("0000:06:00.0", "0000:05:00.0", 0x1000, 0xc030);
                            t.drive(B, "0000:06:00.0");
                        },
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(pair(Check.SECOND_WAY, t -> t.splitWrites = Set.of(Set.of(bdf(A), bdf(B)))));
        pairs.add(
                new Pair(
                        Check.ROUTE_STOPPED,
                        () -> Shapes.broadcom(0),
                        t -> t.at(DOWN_0).acs(0x20),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(
                new Pair(
                        Check.PATHS,
                        () -> Shapes.broadcom(0x0c),
                        t -> t.at(DOWN_1).acs(0),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(roots(Check.SOCKETS, t -> t.at(B).texts.put("numa_node", "1"), Buffer.TARGET));
        pairs.add(text(Check.VIRTUAL, "sys/class/dmi/id/sys_vendor", "QEMU"));
        pairs.add(pair(Check.CMB_ABSENT, t -> t.at(B).cmb(0)));
        pairs.add(pair(Check.CMB_UNKNOWN, t -> t.at(B).withoutCmb()));
        pairs.add(pair(Check.CMB_SMALL, t -> t.at(B).cmb(0x101f)));
        pairs.add(pair(Check.CMB_ALIGNMENT, t -> t.at(B).cmb(0x0000701f)));
        pairs.add(pair(Check.CMB_WDS, t -> t.at(B).cmb(0x0004020f)));
        pairs.add(
                new Pair(
                        Check.CMB_RDS,
                        () -> Shapes.broadcom(0),
                        t -> t.at(A).cmb(0x00040217),
                        A,
                        B,
                        Buffer.SOURCE));
        return pairs;
    }

    @TestFactory
    Stream<DynamicTest> eachFactAloneFlipsTheAnswer() {
        return pairs().stream().map(p -> DynamicTest.dynamicTest(p.check().code(), () -> flips(p)));
    }

    private static void flips(Pair p) {
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
                    assertThat(after.exitStatus())
                            .isEqualTo(f.severity() == Severity.CANNOT ? 2 : 3);
                }
            }
        }
        setpciFixesAndUndoes(p, tree, after);
    }

    /** What the doctor says to type is typed here, on the captured bytes. */
    private static void setpciFixesAndUndoes(Pair p, TreeBuilder tree, Diagnosis after) {
        List<Finding> fixable =
                after.findings().stream()
                        .filter(f -> f.check() == p.check())
                        .filter(f -> f.fix().stream().anyMatch(l -> l.startsWith("setpci")))
                        .toList();
        if (fixable.isEmpty()) {
            return;
        }
        List<byte[]> bytes = tree.nodes.values().stream().map(n -> n.config.bytes()).toList();
        fixable.forEach(f -> type(tree, f.fix()));
        assertThat(p.of(tree).has(p.check())).as("after the fix").isFalse();
        List<Finding> backwards = fixable.reversed();
        backwards.forEach(f -> type(tree, f.undo()));
        List<byte[]> again = tree.nodes.values().stream().map(n -> n.config.bytes()).toList();
        for (int i = 0; i < bytes.size(); i++) {
            assertThat(again.get(i)).isEqualTo(bytes.get(i));
        }
    }

    private static void type(TreeBuilder tree, List<String> lines) {
        for (String line : lines) {
            Matcher m = SETPCI.matcher(line);
            if (!line.startsWith("setpci")) {
                continue;
            }
            assertThat(m.matches()).as(line).isTrue();
            ConfigBytes config = tree.at(m.group(1)).config;
            int base =
                    switch (m.group(2)) {
                        case "CAP_EXP" -> config.capability(0x10).orElseThrow();
                        case "ECAP_ACS" -> config.extendedCapability(0x0d).orElseThrow();
                        default -> config.extendedCapability(0x1d).orElseThrow();
                    };
            int at = base + Integer.parseInt(m.group(3), 16);
            int value = Integer.parseInt(m.group(4), 16);
            int mask = Integer.parseInt(m.group(5), 16);
            config.store16(at, (config.load16(at) & ~mask) | (value & mask));
        }
    }

    @Test
    void severalWaysDoNotHarmWhatIsRead() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.splitWrites = Set.of(Set.of(bdf(A), bdf(B)));
        Diagnosis read = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.SOURCE);
        assertThat(read.has(Check.SECOND_WAY)).isTrue();
        assertThat(read.isGo()).as("%s", read.findings()).isTrue();
        Diagnosis any = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.AUTO);
        assertThat(any.owner()).isEqualTo(bdf(A));
        assertThat(any.rejected().getFirst()).contains("second-way");
    }

    @Test
    void everyCodeHasAPair() {
        EnumSet<Check> seen = EnumSet.noneOf(Check.class);
        pairs().forEach(p -> seen.add(p.check()));
        assertThat(EnumSet.complementOf(seen)).isEmpty();
    }

    @Test
    void theRoutesAreThoseThatACopyIsPlannedWith() {
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
    void autoTakesTheFirstMemoryThatWorksAndSaysWhatSpokeAgainstTheOthers() {
        TreeBuilder tree = Shapes.broadcom(0);
        tree.at(B).cmb(0);
        Diagnosis diagnosis = Doctor.examine(tree.snapshot(), bdf(A), bdf(B), Buffer.AUTO);
        assertThat(diagnosis.isGo()).isTrue();
        assertThat(diagnosis.owner()).isEqualTo(bdf(A));
        assertThat(diagnosis.rejected()).singleElement().asString().contains("cmb-absent");
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

    @Test
    void codesAreUniqueAndInOneForm() {
        List<String> codes = Stream.of(Check.values()).map(Check::code).toList();
        assertThat(codes).doesNotHaveDuplicates().allMatch(c -> c.matches("[a-z0-9-]+"));
        assertThat(Stream.of(Check.values()).map(Check::cure)).noneMatch(Objects::isNull);
    }
}
