package dev.peerlane.nvme;

import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Pmrcap;
import dev.peerlane.spec.wire.Pmrsts;
import java.util.ArrayList;
import java.util.List;

/**
 * One field of a register and the value that was read.
 *
 * @param register name of the register, such as {@code CMBSZ}
 * @param field name of the field in the specification, such as {@code SZU}
 * @param bits bits of the field, such as {@code 11:8}
 * @param value raw value
 * @param meaning the value in words
 */
public record CmbField(String register, String field, String bits, long value, String meaning) {
    /** Returns all fields of all registers that the controller has. */
    static List<CmbField> of(CmbInfo info) {
        Words all = new Words();
        all.cap(info);
        all.cmbloc(info);
        all.cmbsz(info.cmbsz());
        if (info.cap().cmbs()) {
            all.since14(info);
        }
        if (info.cap().pmrs()) {
            all.pmr(info);
        }
        return List.copyOf(all.fields);
    }

    /**
     * Returns the value of a register, put together from its fields; 0 if none of them is there.
     * Reserved bits are 0.
     */
    public static long raw(List<CmbField> fields, String register) {
        long raw = 0;
        for (CmbField f : fields) {
            if (f.register.equals(register)) {
                raw |= f.value << Integer.parseInt(f.bits.substring(f.bits.indexOf(':') + 1));
            }
        }
        return raw;
    }

    private static final class Words {
        private final List<CmbField> fields = new ArrayList<>();

        private void add(String register, String field, String bits, long value, String meaning) {
            fields.add(new CmbField(register, field, bits, value, meaning));
        }

        private void flag(
                String register, String field, int bit, boolean set, String yes, String no) {
            add(register, field, Integer.toString(bit), set ? 1 : 0, set ? yes : no);
        }

        private void cap(CmbInfo i) {
            add("VS", "VS", "31:0", i.vs().raw(), "NVMe " + i.vs());
            flag(
                    "CAP",
                    "CMBS",
                    57,
                    i.cap().cmbs(),
                    "controller memory buffer, enabled by CMBMSC",
                    "no controller memory buffer of the 1.4 kind");
            flag(
                    "CAP",
                    "PMRS",
                    56,
                    i.cap().pmrs(),
                    "persistent memory region",
                    "no persistent memory region");
        }

        private void cmbloc(CmbInfo i) {
            Cmbloc loc = i.cmbloc();
            String r = "CMBLOC";
            add(r, "BIR", "2:0", loc.bir(), bir(loc.bir()));
            flag(
                    r,
                    "CQMMS",
                    3,
                    loc.cqmms(),
                    "queues may lie partly in the CMB",
                    "a queue lies wholly in the CMB or not at all");
            flag(
                    r,
                    "CQPDS",
                    4,
                    loc.cqpds(),
                    "queues in the CMB need not be contiguous",
                    "queues in the CMB are contiguous");
            flag(
                    r,
                    "CDPMLS",
                    5,
                    loc.cdpmls(),
                    "one command's PRP lists may lie on both sides",
                    "one command's PRP lists lie on one side");
            flag(
                    r,
                    "CDPCILS",
                    6,
                    loc.cdpcils(),
                    "PRP lists may lie apart from their submission queue",
                    "PRP lists lie where their submission queue lies");
            flag(
                    r,
                    "CDMMMS",
                    7,
                    loc.cdmmms(),
                    "one command's data may lie on both sides",
                    "one command's data lies on one side");
            flag(
                    r,
                    "CQDA",
                    8,
                    loc.cqda(),
                    "queues in the CMB start on 4 bytes",
                    "queues in the CMB start on a page");
            add(
                    r,
                    "OFST",
                    "31:12",
                    loc.ofst(),
                    "%d units = byte 0x%x of the BAR".formatted(loc.ofst(), i.offsetBytes()));
        }

        private static String bir(int bir) {
            return switch (bir) {
                case 0, 2, 3, 4, 5 -> "BAR " + bir;
                default -> "reserved";
            };
        }

        private void cmbsz(Cmbsz sz) {
            String r = "CMBSZ";
            flag(r, "SQS", 0, sz.sqs(), "holds submission queues", "holds no submission queues");
            flag(r, "CQS", 1, sz.cqs(), "holds completion queues", "holds no completion queues");
            flag(r, "LISTS", 2, sz.lists(), "holds PRP and SGL lists", "holds no lists");
            flag(
                    r,
                    "RDS",
                    3,
                    sz.rds(),
                    "its owner may place what it reads from its medium in it",
                    "its owner may not place what it reads from its medium in it; peers may");
            flag(
                    r,
                    "WDS",
                    4,
                    sz.wds(),
                    "its owner may take what it writes to its medium from it",
                    "its owner may not take what it writes to its medium from it; peers may");
            add(
                    r,
                    "SZU",
                    "11:8",
                    sz.szu(),
                    sz.unitBytes() == 0 ? "reserved" : "units of " + bytes(sz.unitBytes()));
            add(r, "SZ", "31:12", sz.sz(), sz.sz() + " units = " + bytes(sz.sizeBytes()));
        }

        private void since14(CmbInfo i) {
            Cmbmsc msc = i.cmbmsc();
            flag("CMBMSC", "CRE", 0, msc.cre(), "CMBLOC and CMBSZ are shown", "they read 0");
            flag("CMBMSC", "CMSE", 1, msc.cmse(), "the CMB answers at CBA", "CBA is not in use");
            add("CMBMSC", "CBA", "63:12", msc.cba(), "address 0x%x".formatted(msc.baseAddress()));
            flag(
                    "CMBSTS",
                    "CBAI",
                    0,
                    i.cmbsts().cbai(),
                    "the controller refuses the address in CBA",
                    "the address is accepted");
            elasticity("CMBEBS", "CMBSZU", "CMBRBB", "CMBWBZ", i.cmbebs());
            add("CMBSWTP", "CMBSWTU", "3:0", i.cmbswtp().cmbswtu(), "unit of the throughput");
            add(
                    "CMBSWTP",
                    "CMBSWTV",
                    "31:8",
                    i.cmbswtp().cmbswtv(),
                    throughput(i.cmbswtp().bytesPerSecond()));
        }

        private void elasticity(String r, String unit, String bypass, String size, Cmbebs e) {
            add(r, unit, "3:0", e.cmbszu(), "unit of the elasticity buffer");
            flag(
                    r,
                    bypass,
                    4,
                    e.cmbrbb(),
                    "a read overtakes buffered writes that it does not overlap",
                    "a read may overtake buffered writes that it does not overlap");
            add(
                    r,
                    size,
                    "31:8",
                    e.cmbwbz(),
                    e.sizeBytes() == 0 ? "not reported" : bytes(e.sizeBytes()));
        }

        private void pmr(CmbInfo i) {
            Pmrcap c = i.pmrcap();
            flag("PMRCAP", "RDS", 3, c.rds(), "its owner may read into it", "its owner may not");
            flag("PMRCAP", "WDS", 4, c.wds(), "its owner may write from it", "its owner may not");
            add("PMRCAP", "BIR", "7:5", c.bir(), bir(c.bir()));
            add("PMRCAP", "PMRTU", "9:8", c.pmrtu(), "unit of the time to become ready");
            add(
                    "PMRCAP",
                    "PMRWBM",
                    "13:10",
                    c.pmrwbm(),
                    "writes complete by "
                            + ((c.pmrwbm() & Pmrcap.WBM_PMR_READ) != 0
                                    ? "a read of the region"
                                    : "")
                            + (c.pmrwbm() == 3 ? " or " : "")
                            + ((c.pmrwbm() & Pmrcap.WBM_PMRSTS_READ) != 0 ? "a read of PMRSTS" : "")
                            + (c.pmrwbm() == 0 ? "no stated means" : ""));
            add("PMRCAP", "PMRTO", "23:16", c.pmrto(), c.timeoutMillis() + " ms to become ready");
            flag("PMRCAP", "CMSS", 24, c.cmss(), "has an address of its own", "has none");
            flag("PMRCTL", "EN", 0, i.pmrctl().en(), "on", "off");
            Pmrsts s = i.pmrsts();
            add("PMRSTS", "ERR", "7:0", s.err(), s.err() == 0 ? "no error" : "error");
            flag("PMRSTS", "NRDY", 8, s.nrdy(), "not ready", "ready");
            add("PMRSTS", "HSTS", "11:9", s.hsts(), health(s.hsts()));
            flag(
                    "PMRSTS",
                    "CBAI",
                    12,
                    s.cbai(),
                    "the address is refused",
                    "the address is accepted");
            elasticity("PMREBS", "PMRSZU", "PMRRBB", "PMRWBZ", new Cmbebs(i.pmrebs().raw()));
            add("PMRSWTP", "PMRSWTU", "3:0", i.pmrswtp().pmrswtu(), "unit of the throughput");
            add(
                    "PMRSWTP",
                    "PMRSWTV",
                    "31:8",
                    i.pmrswtp().pmrswtv(),
                    throughput(i.pmrswtp().bytesPerSecond()));
            flag("PMRMSC", "CMSE", 1, i.pmrmsc().cmse(), "answers at CBA", "CBA is not in use");
            add(
                    "PMRMSC",
                    "CBA",
                    "63:12",
                    i.pmrmsc().cba(),
                    "address 0x%x".formatted(i.pmrmsc().baseAddress()));
        }

        private static String health(int hsts) {
            return switch (hsts) {
                case Pmrsts.HSTS_NORMAL -> "normal";
                case Pmrsts.HSTS_RESTORE_ERROR -> "content could not be restored";
                case Pmrsts.HSTS_READ_ONLY -> "read only";
                case Pmrsts.HSTS_UNRELIABLE -> "unreliable";
                default -> "reserved";
            };
        }

        private static String throughput(long bytesPerSecond) {
            return bytesPerSecond == 0 ? "not reported" : bytes(bytesPerSecond) + " a second";
        }

        private static String bytes(long bytes) {
            if (bytes >= 1 << 30 && bytes % (1 << 30) == 0) {
                return (bytes >> 30) + " GiB";
            }
            if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) {
                return (bytes >> 20) + " MiB";
            }
            if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) {
                return (bytes >> 10) + " KiB";
            }
            return bytes + " bytes";
        }
    }
}
