package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Shapes.A;
import static dev.peerlane.diagnose.Shapes.B;
import static dev.peerlane.diagnose.Shapes.DOWN_0;
import static dev.peerlane.diagnose.Shapes.DOWN_1;
import static dev.peerlane.diagnose.Shapes.INTEL;
import static dev.peerlane.diagnose.Shapes.bdf;

import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.sysfs.ConfigBytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A machine without a finding, and the change that causes one. */
record FactPair(
        Check check,
        Supplier<TreeBuilder> good,
        Consumer<TreeBuilder> change,
        String source,
        String target,
        Buffer buffer) {
    Diagnosis of(TreeBuilder tree) {
        return source.isEmpty()
                ? Doctor.examine(tree.snapshot())
                : Doctor.examine(
                        tree.snapshot(),
                        new Question(bdf(source), null, bdf(target), null, buffer, tree.fence));
    }

    static final String OTHER_OF_GROUP = "0000:05:00.0";

    private static FactPair pair(Check check, Consumer<TreeBuilder> change) {
        return new FactPair(check, () -> Shapes.broadcom(0), change, A, B, Buffer.TARGET);
    }

    private static FactPair text(Check check, String path, String value) {
        return pair(check, t -> t.texts.put(path, value));
    }

    private static FactPair kernel(Check check, String... off) {
        return pair(check, t -> List.of(off).forEach(o -> t.kernel(o, "n")));
    }

    private static FactPair roots(Check check, Consumer<TreeBuilder> change, Buffer buffer) {
        return new FactPair(check, () -> Shapes.rootPorts(INTEL, 0x09a2), change, A, B, buffer);
    }

    private static void client(TreeBuilder t) {
        t.cpu("GenuineIntel", 6, 0x9e);
        t.at("0000:00:00.0").config.store16(2, 0x3e1f);
        t.at("0000:00:00.0").texts.put("device", "0x3e1f");
    }

    private static void atsOn(TreeBuilder t) {
        ConfigBytes config = t.at(A).config;
        config.store32(TreeBuilder.SERIAL, 0x0003 | (1 << 16) | (0x160 << 20));
        config.store32(TreeBuilder.ATS, 0x000f | (1 << 16));
        config.store16(TreeBuilder.ATS + 6, 0x8000);
    }

    /** Gives a port an egress control vector with a bit for every port. */
    private static void egressVector(TreeBuilder t) {
        t.at(DOWN_0).config.store16(TreeBuilder.ACS + 4, 0x207f);
        t.at(DOWN_0).config.store32(TreeBuilder.ACS + 8, -1);
    }

    private static void withoutIommu(TreeBuilder t, String parameters) {
        t.texts.put("proc/cmdline", parameters);
        t.nodes.values().forEach(n -> n.group = -1);
    }

    /** Returns all pairs: at least one for each code. */
    static List<FactPair> all() {
        List<FactPair> pairs = new ArrayList<>();
        pairs.add(
                new FactPair(
                        Check.NO_SYSFS,
                        () -> Shapes.broadcom(0),
                        t -> t.nodes.clear(),
                        "",
                        "",
                        Buffer.AUTO));
        pairs.add(pair(Check.DEVICE_ABSENT, t -> t.nodes.remove(bdf(B))));
        pairs.add(pair(Check.NOT_NVME, t -> t.at(B).texts.put("class", "0x020000")));
        pairs.add(pair(Check.DRIVER, t -> t.at(A).driver = "nvme"));
        pairs.add(pair(Check.NO_IOMMU, t -> withoutIommu(t, "quiet")));
        pairs.add(pair(Check.NO_IOMMU, t -> withoutIommu(t, "intel_iommu=on iommu=off")));
        pairs.add(
                new FactPair(
                        Check.NO_IOMMU,
                        () -> Shapes.broadcom(0).cpu("AuthenticAMD", 0x19, 1),
                        t -> withoutIommu(t, "amd_iommu=off"),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(
                pair(
                        Check.GROUP_NOT_VIABLE,
                        t -> {
                            var other = t.drive(OTHER_OF_GROUP, DOWN_0);
                            other.driver = "nvme";
                            other.group = t.at(A).group;
                        }));
        pairs.add(
                pair(
                        Check.GROUP_NOT_VIABLE,
                        t -> {
                            var other = t.other(OTHER_OF_GROUP, DOWN_0, 0x15b3, 1, 0x020000);
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
        pairs.add(pair(Check.SUSPENDED, t -> t.at(A).suspend("D3cold")));
        pairs.add(
                pair(
                        Check.SUSPENDED,
                        t -> {
                            t.at(DOWN_0).suspend("D3hot");
                            t.at(A).suspend("D3hot");
                        }));
        pairs.add(pair(Check.ACS_REQUEST, t -> t.at(DOWN_0).acs(0x04)));
        pairs.add(pair(Check.ACS_COMPLETION, t -> t.at(DOWN_1).acs(0x08)));
        pairs.add(pair(Check.ACS_EGRESS, t -> t.at(DOWN_0).acs(0x20)));
        pairs.add(
                new FactPair(
                        Check.ACS_TRANSLATED,
                        () -> Shapes.microchip(0x1d),
                        t -> t.at(DOWN_0).acs(0x5d),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(pair(Check.ATS, FactPair::atsOn));
        pairs.add(
                roots(
                        Check.HOST_BRIDGE,
                        t -> t.at("0000:00:00.0").texts.put("device", "0x1234"),
                        Buffer.TARGET));
        pairs.add(
                new FactPair(
                        Check.HOST_BRIDGE_PAIR,
                        () -> Shapes.twoSockets(0x09a2),
                        t -> {
                            t.at("0000:00:00.0").texts.put("device", "0x2f00");
                            t.at("0000:80:00.0").texts.put("device", "0x2f00");
                        },
                        A,
                        "0000:81:00.0",
                        Buffer.TARGET));
        pairs.add(roots(Check.WRITES_ONLY, FactPair::client, Buffer.TARGET));
        pairs.add(roots(Check.WRITES_ONLY, FactPair::client, Buffer.SOURCE));
        for (Buffer buffer : List.of(Buffer.TARGET, Buffer.SOURCE)) {
            pairs.add(
                    new FactPair(
                            Check.WRITES_ONLY,
                            () -> Shapes.rootPorts(Shapes.AMD, 0x1450).cpu("AuthenticAMD", 0x17, 1),
                            t -> t.cpu("AuthenticAMD", 0x15, 2),
                            A,
                            B,
                            buffer));
        }
        pairs.add(
                new FactPair(
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
                new FactPair(
                        Check.VMD,
                        () -> Shapes.rootPorts(INTEL, 0x09a2),
                        Shapes::turnVmdOn,
                        "",
                        "",
                        Buffer.AUTO));
        pairs.add(
                new FactPair(
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
                new FactPair(
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
                new FactPair(
                        Check.ROUTE_STOPPED,
                        () -> Shapes.broadcom(0).with(FactPair::egressVector),
                        t -> t.at(DOWN_0).acs(0x20),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(
                new FactPair(
                        Check.ROUTE_STOPPED,
                        () -> Shapes.broadcom(0).with(FactPair::atsOn),
                        t -> t.at(DOWN_0).acs(0x02),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(
                new FactPair(
                        Check.ROUTE_STOPPED,
                        Shapes::redirectBelowASwitch,
                        t -> t.at(DOWN_0).acs(0),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(
                new FactPair(
                        Check.PATHS,
                        () -> Shapes.broadcom(0x0c),
                        t -> t.at(DOWN_1).acs(0),
                        A,
                        B,
                        Buffer.TARGET));
        pairs.add(roots(Check.SOCKETS, t -> t.at(B).texts.put("numa_node", "1"), Buffer.TARGET));
        pairs.add(text(Check.VIRTUAL, "sys/class/dmi/id/sys_vendor", "QEMU"));
        pairs.add(
                pair(
                        Check.NAMESPACE,
                        t ->
                                t.namespaces =
                                        List.of(
                                                NamespaceFacts.unusable(
                                                        bdf(A), 1, "8 bytes of metadata"))));
        pairs.add(
                pair(
                        Check.WRITE_PROTECTED,
                        t ->
                                t.namespaces =
                                        List.of(
                                                new NamespaceFacts(
                                                        bdf(B), 1, 512, 4096, true, null,
                                                        "NSATTR"))));
        pairs.add(pair(Check.CMB_ABSENT, t -> t.at(B).cmb(0)));
        pairs.add(pair(Check.CMB_UNKNOWN, t -> t.at(B).withoutCmb()));
        pairs.add(
                pair(
                        Check.CMB_SMALL,
                        t -> {
                            t.at(B).cmb(0x101f);
                            t.blocks(A, 512, B, 8192, 1 << 20);
                        }));
        pairs.add(pair(Check.CMB_FIT_UNKNOWN, t -> t.at(B).cmb(0x101f)));
        pairs.add(pair(Check.BLOCKS, t -> t.blocks(A, 512, B, 8192, 4096)));
        pairs.add(roots(Check.FENCE_READBACK, t -> t.fence = FenceChoice.READBACK, Buffer.TARGET));
        pairs.add(pair(Check.CMB_ALIGNMENT, t -> t.at(B).cmb(0x0000701f)));
        pairs.add(pair(Check.CMB_WDS, t -> t.at(B).cmb(0x0004020f)));
        pairs.add(
                new FactPair(
                        Check.CMB_RDS,
                        () -> Shapes.broadcom(0),
                        t -> t.at(A).cmb(0x00040217),
                        A,
                        B,
                        Buffer.SOURCE));
        return pairs;
    }
}
