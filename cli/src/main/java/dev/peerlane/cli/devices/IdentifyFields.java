package dev.peerlane.cli.devices;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import java.util.ArrayList;
import java.util.List;

/** The fields of Identify Controller and Identify Namespace, each with value and meaning. */
final class IdentifyFields {
    private static final int KELVIN = 273;

    private final List<Field> fields = new ArrayList<>();

    private IdentifyFields() {}

    /** A field, named as in the specification. */
    record Field(String name, String value, String meaning) {}

    /** Returns the fields of a controller. */
    static List<Field> fields(IdentifyController id, Cap cap) {
        IdentifyFields identity = new IdentifyFields();
        identity.capabilities(cap);
        identity.controller(id, cap);
        identity.commands(id);
        return List.copyOf(identity.fields);
    }

    /** Returns the fields of a namespace. */
    static List<Field> fields(IdentifyNamespace id) {
        IdentifyFields identity = new IdentifyFields();
        identity.namespace(id);
        return List.copyOf(identity.fields);
    }

    private void text(String name, String value, String meaning) {
        fields.add(new Field(name, value.isEmpty() ? "-" : value, meaning));
    }

    private void hex(String name, long raw, String meaning) {
        fields.add(new Field(name, "0x%x".formatted(raw), meaning));
    }

    private void number(String name, long raw, String meaning) {
        fields.add(new Field(name, Long.toUnsignedString(raw), meaning));
    }

    private static String counted(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }

    private static String unlessZero(String hex) {
        return hex.chars().allMatch(c -> c == '0') ? "none" : hex;
    }

    /** Returns the names of the bits that are set, without reserved bits. */
    private static String bits(int raw, String none, String... names) {
        List<String> set = new ArrayList<>();
        for (int bit = 0; bit < names.length; bit++) {
            if ((raw >> bit & 1) != 0 && !names[bit].isEmpty()) {
                set.add(names[bit]);
            }
        }
        return set.isEmpty() ? none : String.join(", ", set);
    }

    private void capabilities(Cap cap) {
        number("CAP.MQES", cap.mqesZ(), "queues of up to " + cap.maxQueueEntries() + " entries");
        number("CAP.TO", cap.to(), "ready within " + cap.timeoutMillis() + " ms");
        number(
                "CAP.DSTRD",
                cap.dstrd(),
                "a doorbell every " + cap.doorbellStrideBytes() + " bytes");
        hex("CAP.CSS", cap.css(), commandSets(cap.css()));
        number(
                "CAP.MPSMIN",
                cap.mpsmin(),
                "pages of %s to %s"
                        .formatted(Sizes.text(cap.minPageBytes()), Sizes.text(cap.maxPageBytes())));
        hex(
                "CAP.CMBS",
                cap.cmbs() ? 1 : 0,
                cap.cmbs() ? "CMB enabled by CMBMSC" : "no CMB of the 1.4 kind");
    }

    private static String commandSets(int css) {
        List<String> sets = new ArrayList<>();
        if ((css & Cap.CSS_NVM) != 0) {
            sets.add("NVM");
        }
        if ((css & Cap.CSS_IOCS) != 0) {
            sets.add("one or more I/O command sets");
        }
        if ((css & Cap.CSS_NO_IO) != 0) {
            sets.add("none for I/O");
        }
        return sets.isEmpty() ? "none" : String.join(", ", sets);
    }

    private void controller(IdentifyController id, Cap cap) {
        hex("VID", id.vid(), "PCI vendor");
        hex("SSVID", id.ssvid(), "PCI subsystem vendor");
        text("SN", id.sn(), "serial number");
        text("MN", id.mn(), "model number");
        text("FR", id.fr(), "firmware revision");
        hex(
                "CMIC",
                id.cmic(),
                bits(
                        id.cmic(),
                        "one port, one controller",
                        "several ports",
                        "several controllers",
                        "SR-IOV virtual function",
                        "asymmetric access reporting"));
        long transfer = id.maxTransferBytes(cap.minPageBytes());
        number(
                "MDTS",
                id.mdts(),
                transfer == Long.MAX_VALUE
                        ? "no limit of one command's data"
                        : "up to " + Sizes.text(transfer) + " a command");
        number("CNTLID", id.cntlid(), "controller identifier");
        text("VER", id.ver().toString(), "NVMe version");
        number("RTD3E", id.rtd3e(), "microseconds that a shutdown takes; 0: not reported");
        hex(
                "OAES",
                id.oaes(),
                bits(
                        id.oaes() >> 8,
                        "no optional events",
                        "namespace changes",
                        "firmware activation",
                        "",
                        "asymmetric access changes",
                        "predictable latency",
                        "LBA status",
                        "endurance groups",
                        "subsystem shutdown"));
        hex("CTRATT", id.ctratt(), id.mdtsExcludesMetadata() ? "MDTS excludes metadata" : "");
        number("CNTRLTYPE", id.cntrltype(), controllerType(id.cntrltype()));
        number("ACL", id.aclZ(), id.abortLimit() + " Aborts at once");
        number("AERL", id.aerlZ(), id.asyncEventLimit() + " event requests at once");
        hex(
                "LPA",
                id.lpa(),
                bits(
                        id.lpa(),
                        "no optional log pages",
                        "SMART per namespace",
                        "command effects",
                        "extended data",
                        "telemetry",
                        "persistent events"));
        number("ELPE", id.elpeZ(), id.errorLogEntries() + " error log entries");
        number("WCTEMP", id.wctemp(), temperature(id.wctemp(), "warning"));
        number("CCTEMP", id.cctemp(), temperature(id.cctemp(), "critical"));
        text("SUBNQN", id.subnqn(), "subsystem");
    }

    private void commands(IdentifyController id) {
        hex(
                "OACS",
                id.oacs(),
                bits(
                        id.oacs(),
                        "no optional admin commands",
                        "Security",
                        "Format NVM",
                        "Firmware",
                        "Namespace Management",
                        "Self-test",
                        "Directives",
                        "NVMe-MI",
                        "Virtualization",
                        "Doorbell Buffer Config",
                        "Get LBA Status",
                        "Lockdown"));
        hex(
                "SQES",
                id.sqes(),
                "entries of %d to %d bytes".formatted(id.requiredSqeBytes(), id.maxSqeBytes()));
        hex(
                "CQES",
                id.cqes(),
                "entries of %d to %d bytes".formatted(id.requiredCqeBytes(), id.maxCqeBytes()));
        number("MAXCMD", id.maxcmd(), "commands at once; 0: not reported");
        number("NN", id.nn(), "highest namespace identifier");
        hex(
                "ONCS",
                id.oncs().raw(),
                bits(
                        id.oncs().raw(),
                        "no optional I/O commands",
                        "Compare",
                        "Write Uncorrectable",
                        "Dataset Management",
                        "Write Zeroes",
                        "Save and Select",
                        "Reservations",
                        "Timestamp",
                        "Verify",
                        "Copy"));
        hex("FUSES", id.fuses(), bits(id.fuses(), "no fused operations", "Compare and Write"));
        hex(
                "FNA",
                id.fna(),
                bits(
                        id.fna(),
                        "formats and erases one namespace",
                        "formats all namespaces",
                        "erases all namespaces",
                        "cryptographic erase"));
        hex(
                "VWC",
                id.vwc(),
                id.hasVolatileWriteCache()
                        ? "volatile write cache: a Flush makes writes safe"
                        : "no volatile write cache");
        number("AWUN", id.awunZ(), "atomic writes of " + counted(id.awunZ() + 1, "block"));
        number("AWUPF", id.awupfZ(), "at a power failure, of " + counted(id.awupfZ() + 1, "block"));
        hex(
                "NWPC",
                id.nwpc(),
                bits(
                        id.nwpc(),
                        "no write protection",
                        "write protection",
                        "until a power cycle",
                        "permanent"));
        hex(
                "OCFS",
                id.ocfs(),
                bits(
                        id.ocfs(),
                        "no copy formats",
                        "copy format 0",
                        "copy format 1",
                        "copy format 2",
                        "copy format 3"));
        hex(
                "SGLS",
                id.sgls(),
                switch (id.sglSupport()) {
                    case 0 -> "no SGLs";
                    case 1 -> "SGLs of any alignment";
                    case 2 -> "SGLs of whole dwords";
                    default -> "reserved";
                });
    }

    private static String temperature(int kelvin, String what) {
        return kelvin == 0
                ? what + " temperature not reported"
                : "%s at %d °C".formatted(what, kelvin - KELVIN);
    }

    private static String controllerType(int type) {
        return switch (type) {
            case 0 -> "not reported";
            case 1 -> "I/O controller";
            case 2 -> "discovery controller";
            case 3 -> "administrative controller";
            default -> "reserved";
        };
    }

    private void namespace(IdentifyNamespace id) {
        number("NSZE", id.nsze(), "blocks");
        number("NCAP", id.ncap(), "blocks that may be allocated");
        number("NUSE", id.nuse(), "blocks that are allocated");
        hex(
                "NSFEAT",
                id.nsfeat(),
                bits(
                        id.nsfeat(),
                        "no features",
                        "thin provisioning",
                        "atomic units of its own",
                        "deallocated block errors",
                        "identifiers never reused",
                        "write hints"));
        number("NLBAF", id.nlbafZ(), counted(id.formats(), "format"));
        hex(
                "FLBAS",
                id.flbas(),
                "format "
                        + id.formatIndex()
                        + (id.metadataInLine() ? ", metadata at the end of each block" : ""));
        hex("MC", id.mc(), bits(id.mc(), "no metadata", "metadata in line", "metadata apart"));
        hex(
                "DPC",
                id.dpc(),
                bits(
                        id.dpc(),
                        "no protection information",
                        "type 1",
                        "type 2",
                        "type 3",
                        "in the first bytes",
                        "in the last bytes"));
        hex(
                "DPS",
                id.dps(),
                id.protectionType() == 0
                        ? "no protection in use"
                        : "protection of type " + id.protectionType());
        hex("NMIC", id.nmic(), id.isShared() ? "may be shared" : "attached to one controller");
        hex("RESCAP", id.rescap(), id.rescap() == 0 ? "no reservations" : "reservations");
        hex(
                "FPI",
                id.fpi(),
                id.reportsFormatProgress()
                        ? id.formatPercentLeft() + "% of a format left"
                        : "format progress not reported");
        hex(
                "DLFEAT",
                id.dlfeat(),
                switch (id.deallocatedRead()) {
                    case 0 -> "what deallocated blocks read as is not reported";
                    case 1 -> "deallocated blocks read as zeroes";
                    case 2 -> "deallocated blocks read as ones";
                    default -> "reserved";
                });
        number("NOIOB", id.noiob(), "blocks of the best I/O boundary; 0: not reported");
        text("NVMCAP", id.nvmcapBytes().toString(), "bytes of the medium; 0: not reported");
        number("MSSRL", id.mssrl(), "blocks of one source range of Copy");
        hex("NSATTR", id.nsattr(), id.isWriteProtected() ? "write protected" : "writable");
        text("NGUID", unlessZero(id.nguid()), "globally unique identifier");
        text("EUI64", unlessZero(id.eui64()), "extended unique identifier");
    }
}
