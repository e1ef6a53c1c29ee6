package dev.peerlane.fabrics;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbswtp;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads the emulator's part of a fabric file. Missing keys have the defaults of the models. */
final class EmulatorFile {
    private static final long DEFAULT_BYTES = 1L << 30;
    private static final int DEFAULT_BLOCK_BYTES = 512;
    private static final int MAX_ACS = 0xffff;

    private static final Map<String, Integer> ACS_BITS =
            Map.of("SV", 1, "TB", 2, "RR", 4, "CR", 8, "UF", 16, "EC", 32, "DT", 64);

    private final Path base;

    /** Creates a reader for files whose relative paths start at {@code base}. */
    EmulatorFile(Path base) {
        this.base = base;
    }

    FabricModel read(YamlReader yaml) {
        yaml.allow(
                "kind",
                "seed",
                "time",
                "fabric",
                "transfers",
                "packets",
                "links",
                "secondWays",
                "iommu",
                "unmapped",
                "peerReads",
                "peerWrites",
                "relaxedOrdering",
                "rootComplex",
                "drives",
                "ports",
                "faults");
        FabricModel.Builder fabric = FabricModel.builder();
        fabric.seed(yaml.number("seed", 1, Long.MIN_VALUE, Long.MAX_VALUE))
                .packets(PacketsPart.read(yaml))
                .iommu(yaml.bool("iommu", true))
                .unmapped(yaml.choice("unmapped", FabricModel.Unmapped.FAILS))
                .peerReads(yaml.choice("peerReads", FabricModel.PeerReads.NORMAL))
                .peerWrites(yaml.choice("peerWrites", FabricModel.PeerWrites.NORMAL))
                .relaxedOrdering(yaml.bool("relaxedOrdering", false));
        if (yaml.has("transfers")) {
            fabric.transfers(yaml.choice("transfers", FabricModel.Transfers.PIECES));
        }
        if (yaml.has("time")) {
            fabric.time(yaml.choice("time", FabricModel.Time.REAL));
        }
        YamlReader root = yaml.mapping("rootComplex");
        if (root != null) {
            root.allow("peerWrites", "peerReads");
            fabric.rootComplex(
                    root.choice("peerWrites", RootComplex.Trust.UNKNOWN),
                    root.choice("peerReads", RootComplex.Trust.UNKNOWN));
        }
        List<YamlReader> drives = yaml.mappings("drives");
        for (int i = 0; i < drives.size(); i++) {
            int controllerId = i;
            fabric.drive(drives.get(i).located(reader -> drive(reader, controllerId)));
        }
        for (YamlReader port : yaml.mappings("ports")) {
            fabric.port(port(port));
        }
        for (YamlReader fault : yaml.mappings("faults")) {
            fabric.fault(fault.located(EmulatorFile::fault));
        }
        return yaml.located(reader -> fabric.build());
    }

    private DriveModel drive(YamlReader yaml, int controllerId) {
        yaml.allow(
                "name",
                "image",
                "size",
                "blockBytes",
                "writeProtected",
                "metadataBytes",
                "protectionType",
                "commandSet",
                "discards",
                "namespaces",
                "serial",
                "model",
                "cntlid",
                "mdts",
                "maxQueueEntries",
                "ioQueues",
                "doorbellStride",
                "compare",
                "volatileWriteCache",
                "sgls",
                "doorbellBuffer",
                "bytesPerSecond",
                "latencyMicros",
                "cmb");
        DriveModel.Builder drive = DriveModel.named(yaml.text("name"));
        namespaces(yaml).forEach(drive::namespace);
        String serial = yaml.textOrNull("serial");
        if (serial != null) {
            drive.serial(serial);
        }
        String model = yaml.textOrNull("model");
        if (model != null) {
            drive.model(model);
        }
        YamlReader cmb = yaml.mapping("cmb");
        drive.controllerId(yaml.integer("cntlid", controllerId))
                .mdts(yaml.integer("mdts", 5))
                .maxQueueEntries(yaml.integer("maxQueueEntries", 1024))
                .ioQueues(yaml.integer("ioQueues", 16))
                .doorbellStride(yaml.integer("doorbellStride", 0))
                .compare(yaml.bool("compare", true))
                .volatileWriteCache(yaml.bool("volatileWriteCache", true))
                .sgls(yaml.choice("sgls", DriveModel.Sgls.NONE))
                .doorbellBuffer(yaml.bool("doorbellBuffer", false))
                .bytesPerSecond(yaml.size("bytesPerSecond", 0))
                .latencyNanos(1000 * yaml.number("latencyMicros", 0, 0, 1_000_000_000))
                .cmb(cmb == null ? null : cmb.located(this::cmb));
        return drive.build();
    }

    private List<NamespaceModel> namespaces(YamlReader drive) {
        if (!drive.has("namespaces")) {
            return List.of(namespace(drive));
        }
        for (String key :
                List.of(
                        "image",
                        "size",
                        "blockBytes",
                        "writeProtected",
                        "metadataBytes",
                        "protectionType",
                        "commandSet",
                        "discards")) {
            if (drive.has(key)) {
                throw drive.error(
                        "a drive has '" + key + "' beside 'namespaces'",
                        "Move it into the namespaces");
            }
        }
        List<NamespaceModel> namespaces = new ArrayList<>();
        for (YamlReader reader : drive.mappings("namespaces")) {
            reader.allow(
                    "image",
                    "size",
                    "blockBytes",
                    "writeProtected",
                    "metadataBytes",
                    "protectionType",
                    "commandSet",
                    "discards");
            namespaces.add(reader.located(this::namespace));
        }
        return namespaces;
    }

    private NamespaceModel namespace(YamlReader yaml) {
        String image = yaml.textOrNull("image");
        long size = yaml.size("size", image == null ? DEFAULT_BYTES : 0);
        if (size == 0 && image == null) {
            throw yaml.wrong("size", "0", "Write a size above 0, or name an image");
        }
        String set = yaml.textOrNull("commandSet");
        int csi =
                switch (set == null ? "nvm" : set) {
                    case "nvm" -> CommandSet.NVM;
                    case "kv" -> CommandSet.KEY_VALUE;
                    case "zoned" -> CommandSet.ZONED;
                    default ->
                            throw yaml.wrong(
                                    "commandSet", String.valueOf(set), "Use nvm, kv or zoned");
                };
        return new NamespaceModel(
                size,
                image == null ? null : base.resolve(image),
                Math.toIntExact(
                        Math.min(yaml.size("blockBytes", DEFAULT_BLOCK_BYTES), Integer.MAX_VALUE)),
                yaml.bool("writeProtected", false),
                yaml.integer("metadataBytes", 0),
                yaml.integer("protectionType", 0),
                csi,
                yaml.bool("discards", false));
    }

    private CmbModel cmb(YamlReader yaml) {
        yaml.allow(
                "size",
                "version",
                "bar",
                "unit",
                "offset",
                "barSize",
                "sqs",
                "cqs",
                "lists",
                "rds",
                "wds",
                "cqmms",
                "cdpmls",
                "cdpcils",
                "cdmmms",
                "addressBits",
                "elasticity",
                "readsBypass",
                "sustainedWrites");
        yaml.text("size");
        CmbModel cmb = CmbModel.of(yaml.size("size", 0));
        long unit = yaml.size("unit", cmb.unitBytes());
        int support = 0;
        support |= yaml.bool("sqs", true) ? CmbModel.SQS : 0;
        support |= yaml.bool("cqs", false) ? CmbModel.CQS : 0;
        support |= yaml.bool("lists", true) ? CmbModel.LISTS : 0;
        support |= yaml.bool("rds", true) ? CmbModel.RDS : 0;
        support |= yaml.bool("wds", true) ? CmbModel.WDS : 0;
        int rules = 0;
        rules |= yaml.bool("cqmms", false) ? CmbModel.CQMMS : 0;
        rules |= yaml.bool("cdpmls", false) ? CmbModel.CDPMLS : 0;
        rules |= yaml.bool("cdpcils", false) ? CmbModel.CDPCILS : 0;
        rules |= yaml.bool("cdmmms", false) ? CmbModel.CDMMMS : 0;
        return new CmbModel(
                cmb.sizeBytes(),
                version(yaml),
                yaml.integer("bar", cmb.bar()),
                unit,
                yaml.integer("offset", 0),
                yaml.size("barSize", 0),
                support,
                rules,
                yaml.integer("addressBits", cmb.addressBits()),
                Cmbebs.ofBytes(rate(yaml, "elasticity"), yaml.bool("readsBypass", false)).raw(),
                Cmbswtp.ofBytes(rate(yaml, "sustainedWrites")).raw());
    }

    /**
     * Reads a size or rate that CMBEBS and CMBSWTP can express: 24 bits of bytes, KiB, MiB or GiB.
     */
    private static long rate(YamlReader yaml, String key) {
        long bytes = yaml.size(key, 0);
        try {
            Cmbswtp.ofBytes(bytes);
        } catch (IllegalArgumentException e) {
            throw yaml.wrong(
                    key, String.valueOf(bytes), "Use at most 16777215 bytes, KiB, MiB or GiB");
        }
        return bytes;
    }

    private static CmbModel.Version version(YamlReader yaml) {
        String version = yaml.textOrNull("version");
        return switch (version == null ? "1.4" : version) {
            case "1.2" -> CmbModel.Version.V1_2;
            case "1.3" -> CmbModel.Version.V1_3;
            case "1.4" -> CmbModel.Version.V1_4;
            default ->
                    throw yaml.wrong(
                            "version", String.valueOf(version), "Use \"1.2\", \"1.3\" or \"1.4\"");
        };
    }

    private static Fault fault(YamlReader yaml) {
        yaml.allow(
                "kind",
                "drive",
                "occasion",
                "times",
                "queue",
                "opcode",
                "status",
                "delayMicros",
                "first",
                "length");
        yaml.text("kind");
        return new Fault(
                yaml.choice("kind", Fault.Kind.STATUS),
                yaml.textOrNull("drive"),
                yaml.integer("occasion", 1),
                yaml.integer("times", 1),
                yaml.choice("queue", Fault.Queue.ANY),
                yaml.integer("opcode", Fault.ANY_OPCODE),
                yaml.integer("status", 0),
                1000 * yaml.number("delayMicros", 0, 0, 1_000_000_000),
                yaml.number("first", 0, 0, Long.MAX_VALUE),
                yaml.number("length", 0, 0, Long.MAX_VALUE));
    }

    private PortModel port(YamlReader yaml) {
        yaml.allow("acs", "egress", "drive", "switch");
        List<PortModel> below = new ArrayList<>();
        for (YamlReader port : yaml.mappings("switch")) {
            below.add(port(port));
        }
        if (yaml.has("switch") && below.isEmpty()) {
            throw yaml.error("a switch has no ports", "Give it at least one, or leave it out");
        }
        Integer acs = acs(yaml);
        Set<Integer> egress = new TreeSet<>();
        for (String number : yaml.has("egress") ? yaml.texts("egress") : List.<String>of()) {
            if (!number.matches("\\d{1,2}")) {
                throw yaml.wrong("egress", number, "List numbers of ports, counted from 1");
            }
            egress.add(Integer.valueOf(number));
        }
        return yaml.located(r -> new PortModel(acs, r.textOrNull("drive"), below, egress));
    }

    /** Reads ACS control bits: a number, or names of bits. */
    private static @Nullable Integer acs(YamlReader yaml) {
        if (!yaml.has("acs")) {
            return null;
        }
        int control = 0;
        for (String text : yaml.texts("acs")) {
            Integer bit = ACS_BITS.get(text);
            if (bit == null && Character.isDigit(text.isEmpty() ? 'x' : text.charAt(0))) {
                bit = (int) yaml.number("acs", 0, 0, MAX_ACS);
            }
            if (bit == null) {
                throw yaml.wrong(
                        "acs", text, "Use a number, or a list of SV, TB, RR, CR, UF, EC, DT");
            }
            control |= bit;
        }
        return control;
    }
}
