package dev.peerlane.diagnose;

import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.sysfs.ConfigBytes;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Builds trees that are laid out like /sys and /proc, to describe any machine. */
final class TreeBuilder {
    static final int EXPRESS = 0x40;
    static final int AER = 0x100;
    static final int ACS = 0x148;
    static final int ATS = 0x160;
    static final int DPC = 0x180;
    static final int SERIAL = 0x1a0;

    private static final int NVME = 0x010802;
    private static final int BRIDGE = 0x060400;

    /** A function. Its fields may be changed until the tree is built. */
    static final class Node {
        final Bdf bdf;
        final String parentPath;
        final ConfigBytes config = new ConfigBytes(new byte[4096]);
        final Map<String, String> texts = new LinkedHashMap<>();
        String driver;
        int group;
        int readableBytes = 4096;

        Node(Bdf bdf, String parentPath) {
            this.bdf = bdf;
            this.parentPath = parentPath;
        }

        String path() {
            return parentPath + "/" + bdf;
        }

        Node suspend(String state) {
            texts.put("power/runtime_status", "suspended");
            texts.put("power/control", "auto");
            texts.put("power_state", state);
            return this;
        }

        byte[] readable() {
            return Arrays.copyOf(config.bytes(), readableBytes);
        }

        Node link(int generation, int width) {
            config.store16(EXPRESS + 0x12, generation | (width << 4));
            return this;
        }

        Node acs(int control) {
            config.store16(ACS + 6, control);
            return this;
        }

        Node payload(int encoded) {
            config.store16(EXPRESS + 8, (config.load16(EXPRESS + 8) & ~0xe0) | (encoded << 5));
            return this;
        }

        Node withoutCmb() {
            texts.keySet().removeIf(name -> name.startsWith("nvme/"));
            return this;
        }

        Node cmb(int cmbsz) {
            texts.put("nvme/nvme0/cmbsz", "0x%08x".formatted(cmbsz));
            texts.put("nvme/nvme0/cmbloc", "0x00000002");
            return this;
        }
    }

    final Map<Bdf, Node> nodes = new LinkedHashMap<>();
    Set<Set<Bdf>> splitWrites = Set.of();
    List<NamespaceFacts> namespaces = List.of();
    FenceChoice fence = FenceChoice.AUTO;
    final Map<String, String> texts = new HashMap<>();
    private int bars;

    /** Creates a host without findings: an Intel server with VFIO. */
    TreeBuilder() {
        cpu("GenuineIntel", 6, 0x8f);
        texts.put("proc/sys/kernel/osrelease", "6.19.1");
        texts.put("proc/cmdline", "intel_iommu=on");
        texts.put("sys/kernel/security/lockdown", "[none] integrity confidentiality");
        texts.put("proc/self/limits", "Max locked memory         unlimited   unlimited   bytes");
        texts.put("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512");
        texts.put("sys/class/dmi/id/sys_vendor", "Acme");
        texts.put("sys/class/dmi/id/product_name", "Server 1");
        // MGAW 47 (+ 1) in bits 21:16
        texts.put("sys/class/iommu/dmar0/intel-iommu/cap", "8d2008c22f0406");
        texts.put("sys/module/vfio_pci/refcnt", "0");
        texts.put("sys/class/misc/vfio/dev", "10:196");
        texts.put(
                "kernel/config",
                """
                CONFIG_VFIO_PCI=m
                CONFIG_VFIO_IOMMU_TYPE1=m
                CONFIG_IOMMUFD=y
                CONFIG_VFIO_PCI_DMABUF=y
                CONFIG_PCI_P2PDMA=y
                """);
    }

    TreeBuilder cpu(String vendor, int family, int model) {
        texts.put(
                "proc/cpuinfo",
                "vendor_id\t: %s\ncpu family\t: %d\nmodel\t\t: %d\nflags\t\t: fpu sse\n"
                        .formatted(vendor, family, model));
        return this;
    }

    TreeBuilder kernel(String option, String value) {
        String config = texts.getOrDefault("kernel/config", "");
        texts.put(
                "kernel/config",
                config.replaceAll("CONFIG_" + option + "=\\w\n", "")
                        + (value.equals("n")
                                ? "# CONFIG_" + option + " is not set\n"
                                : "CONFIG_" + option + "=" + value + "\n"));
        return this;
    }

    Node host(String bdf, int vendor, int device) {
        return node(bdf, null, vendor, device, 0x060000, -1);
    }

    Node rootPort(String bdf, int vendor, int device) {
        return node(bdf, null, vendor, device, BRIDGE, 4);
    }

    Node upstream(String bdf, String parent, int vendor, int device) {
        return node(bdf, parent, vendor, device, BRIDGE, 5);
    }

    Node downstream(String bdf, String parent, int vendor, int device) {
        return node(bdf, parent, vendor, device, BRIDGE, 6);
    }

    Node drive(String bdf, String parent) {
        Node node = node(bdf, parent, 0x1b36, 0x10, NVME, 0);
        node.driver = "vfio-pci";
        long address = 0x20_0000_0000L + (bars++ * 0x1000_0000L);
        node.texts.put("resource", resource(address));
        return node.cmb(0x0004021f);
    }

    /** Returns a BAR of 256 MiB as sysfs shows it. */
    static String resource(long address) {
        return "0x%016x 0x%016x 0x%016x\n".formatted(address, address + 0xfff_ffff, 0x14220cL);
    }

    /** Moves a function to another address and parent, with all of its settings. */
    void move(String from, String to, String parent) {
        Node old = nodes.remove(Bdf.parse(from));
        Node node = new Node(Bdf.parse(to), pathBelow(Bdf.parse(to), parent));
        byte[] bytes = old.config.bytes();
        for (int i = 0; i < bytes.length; i += 4) {
            node.config.store32(i, old.config.load32(i));
        }
        node.texts.putAll(old.texts);
        node.driver = old.driver;
        node.group = old.group;
        node.readableBytes = old.readableBytes;
        nodes.put(node.bdf, node);
    }

    private String pathBelow(Bdf bdf, String parent) {
        return parent == null
                ? "devices/pci%04x:%02x".formatted(bdf.segment(), bdf.bus())
                : nodes.get(Bdf.parse(parent)).path();
    }

    Node other(String bdf, String parent, int vendor, int device, int classCode) {
        return node(bdf, parent, vendor, device, classCode, -1);
    }

    private Node node(String name, String parent, int vendor, int device, int classCode, int type) {
        Bdf bdf = Bdf.parse(name);
        Node node = new Node(bdf, pathBelow(bdf, parent));
        boolean bridge = classCode == BRIDGE;
        ConfigBytes config = node.config;
        config.store16(0, vendor);
        config.store16(2, device);
        config.store32(8, classCode << 8);
        config.store16(0x0e, bridge ? 1 : 0);
        if (type >= 0) {
            config.store16(6, 0x10);
            config.store16(0x34, EXPRESS);
            config.store16(EXPRESS, 0x10);
            config.store16(EXPRESS + 2, 2 | (type << 4));
            config.store32(EXPRESS + 4, 2);
            config.store16(EXPRESS + 8, 1 << 5);
            config.store32(EXPRESS + 0xc, 4 | (4 << 4));
            config.store16(EXPRESS + 0x12, 4 | (4 << 4));
            extended(config, AER, 0x0001, bridge ? ACS : SERIAL);
            if (bridge) {
                extended(config, ACS, 0x000d, DPC);
                config.store16(ACS + 4, 0x5f);
                extended(config, DPC, 0x001d, SERIAL);
            }
            extended(config, SERIAL, 0x0003, 0);
            config.store32(SERIAL + 4, 0x1234_5678);
            config.store32(SERIAL + 8, 0x0bad_cafe);
        }
        node.texts.put("vendor", "0x%04x".formatted(vendor));
        node.texts.put("device", "0x%04x".formatted(device));
        node.texts.put("class", "0x%06x".formatted(classCode));
        node.texts.put("numa_node", "0");
        node.driver = bridge ? "pcieport" : null;
        node.group = nodes.size();
        nodes.put(bdf, node);
        return node;
    }

    private static void extended(ConfigBytes config, int at, int id, int next) {
        config.store32(at, id | (1 << 16) | (next << 20));
    }

    /** Applies a change, for tests that name one in an expression. */
    TreeBuilder with(Consumer<TreeBuilder> change) {
        change.accept(this);
        return this;
    }

    Node at(String bdf) {
        return nodes.get(Bdf.parse(bdf));
    }

    CapturedFiles files() {
        CapturedFiles files = new CapturedFiles("a test");
        texts.forEach((path, text) -> files.put(path, bytes(text)));
        for (Node node : nodes.values()) {
            String directory = SysfsTree.directory(node.bdf);
            files.putLink(directory, "../../../" + node.path());
            files.put(directory + "/config", node.readable());
            node.texts.forEach((name, text) -> files.put(directory + "/" + name, bytes(text)));
            if (node.driver != null) {
                files.putLink(directory + "/driver", "../../bus/pci/drivers/" + node.driver);
            }
            if (node.group >= 0) {
                files.putLink(
                        directory + "/iommu_group", "../../kernel/iommu_groups/" + node.group);
            }
        }
        return files;
    }

    Snapshot snapshot() {
        Snapshot read = Snapshot.of(files());
        return new Snapshot(
                read.origin(),
                read.machine().withSplitWrites(splitWrites),
                read.host(),
                read.cmbs(),
                namespaces,
                false);
    }

    /** Sets the block sizes and the longest transfer of two drives. */
    void blocks(String one, int oneBytes, String other, int otherBytes, int mostBytes) {
        namespaces =
                List.of(
                        new NamespaceFacts(Bdf.parse(one), 1, oneBytes, mostBytes, true),
                        new NamespaceFacts(Bdf.parse(other), 1, otherBytes, mostBytes, true));
    }

    /** Writes the tree to a directory, with symbolic links as in sysfs. */
    void writeTo(Path root) throws IOException {
        for (var text : texts.entrySet()) {
            write(root.resolve(text.getKey()), bytes(text.getValue()));
        }
        Path devices = root.resolve(SysfsTree.DEVICES);
        Files.createDirectories(devices);
        for (Node node : nodes.values()) {
            Path real = root.resolve("sys").resolve(node.path());
            write(real.resolve("config"), node.readable());
            for (var text : node.texts.entrySet()) {
                write(real.resolve(text.getKey()), bytes(text.getValue()));
            }
            if (node.driver != null) {
                link(root, real.resolve("driver"), "sys/bus/pci/drivers/" + node.driver);
            }
            if (node.group >= 0) {
                link(root, real.resolve("iommu_group"), "sys/kernel/iommu_groups/" + node.group);
            }
            Path entry = devices.resolve(node.bdf.toString());
            Files.createSymbolicLink(entry, devices.relativize(real));
        }
    }

    private static void link(Path root, Path at, String target) throws IOException {
        Path to = root.resolve(target);
        Files.createDirectories(to);
        Files.createSymbolicLink(at, at.getParent().relativize(to));
    }

    private static void write(Path file, byte[] content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    private static byte[] bytes(String text) {
        return (text + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
