package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbsz;

/**
 * The controller memory buffer of an emulated drive (NVMe Base 2.0, 8.5).
 *
 * @param sizeBytes length as reported in CMBSZ; a multiple of the unit
 * @param version the version of the specification that shapes the registers
 * @param bar the BAR that holds the CMB: 0 (after the registers), 2 or 4
 * @param unitBytes CMBSZ.SZU in bytes: 4 KiB, 64 KiB, 1 MiB, ... 64 GiB
 * @param offsetUnits CMBLOC.OFST: the offset in the BAR, in units
 * @param barBytes length of the BAR, a power of two; 0 for the shortest that holds the whole CMB. A
 *     shorter BAR hides the rest of the CMB from everyone but its owner
 * @param support CMBSZ bits 4:0, the supported uses, see {@link #SQS} and the next
 * @param rules CMBLOC bits 8:3, the restrictions that do not apply, see {@link #CQMMS} and the next
 * @param addressBits the width of CBA that the controller supports, 64 for any. If the window of
 *     CMBMSC ends above that, CMBSTS.CBAI is set
 * @param cmbebs CMBEBS, the reported elasticity buffer, since 1.4; 0 for none. It is only reported:
 *     nothing is buffered
 * @param cmbswtp CMBSWTP, the reported sustained write throughput, since 1.4; 0 for none. It is
 *     only reported
 */
public record CmbModel(
        long sizeBytes,
        Version version,
        int bar,
        long unitBytes,
        int offsetUnits,
        long barBytes,
        int support,
        int rules,
        int addressBits,
        int cmbebs,
        int cmbswtp) {

    /** The version of the specification that shapes the registers. */
    public enum Version {
        /**
         * CMBLOC and CMBSZ are always valid, CAP.CMBS is 0, and the controller finds the CMB by its
         * BAR.
         */
        V1_2(2, 1),
        /** The same as {@link #V1_2}, with another VS. */
        V1_3(3, 0),
        /**
         * CMBLOC and CMBSZ read 0 until CMBMSC.CRE is set, and the controller finds the CMB by CBA.
         */
        V1_4(4, 0);

        private final int minor;
        private final int tertiary;

        Version(int minor, int tertiary) {
            this.minor = minor;
            this.tertiary = tertiary;
        }

        /** Returns the VS register of a controller of this version. */
        public Vs vs() {
            return Vs.of(1, minor, tertiary);
        }
    }

    /** Bit of {@link #support}: submission queues. */
    public static final int SQS = 1;

    /** Bit of {@link #support}: completion queues. */
    public static final int CQS = 1 << 1;

    /** Bit of {@link #support}: PRP lists. */
    public static final int LISTS = 1 << 2;

    /** Bit of {@link #support}: data of commands that read. */
    public static final int RDS = 1 << 3;

    /** Bit of {@link #support}: data of commands that write or compare. */
    public static final int WDS = 1 << 4;

    /** Bit of {@link #rules}: a queue may be partly in the CMB. */
    public static final int CQMMS = 1 << 3;

    /** Bit of {@link #rules}: the PRP lists of a command may be partly in the CMB. */
    public static final int CDPMLS = 1 << 5;

    /** Bit of {@link #rules}: PRP lists may be in other memory than the command's queue. */
    public static final int CDPCILS = 1 << 6;

    /** Bit of {@link #rules}: the data of a command may be partly in the CMB. */
    public static final int CDMMMS = 1 << 7;

    /**
     * The uses that a common drive supports: submission queues, lists, and data in both directions.
     */
    public static final int COMMON_SUPPORT = SQS | LISTS | RDS | WDS;

    private static final long MIN_UNIT_BYTES = 4096;
    private static final int MAX_SZU = 6;
    private static final int MAX_UNITS = 0xf_ffff;

    /** Checks the ranges. */
    public CmbModel {
        szu(unitBytes);
        if (sizeBytes <= 0 || sizeBytes % unitBytes != 0 || sizeBytes / unitBytes > MAX_UNITS) {
            throw bad(
                    "size " + sizeBytes + " in units of " + unitBytes,
                    "Use a multiple of the unit, at most 1048575 units");
        }
        if (offsetUnits < 0 || offsetUnits > MAX_UNITS) {
            throw bad("offset of " + offsetUnits + " units", "Use 0 to 1048575");
        }
        if (bar != 0 && bar != 2 && bar != 4) {
            throw bad("bar " + bar, "Use 0, 2 or 4: BARs here are 64 bits wide");
        }
        if (barBytes != 0 && (Long.bitCount(barBytes) != 1 || barBytes < MIN_UNIT_BYTES)) {
            throw bad("BAR of " + barBytes + " bytes", "Use a power of two from 4096 up");
        }
        if (barBytes != 0 && barBytes <= offsetUnits * unitBytes) {
            throw bad(
                    "BAR of " + barBytes + " bytes and offset " + offsetUnits * unitBytes,
                    "Use a BAR that is longer than the offset");
        }
        if ((support & ~0x1f) != 0 || (rules & ~0x1f8) != 0) {
            throw bad(
                    "support 0x%x, rules 0x%x".formatted(support, rules),
                    "support has bits 4:0, rules bits 8:3");
        }
        if (addressBits < 13 || addressBits > 64) {
            throw bad("addressBits " + addressBits, "Use 13 to 64");
        }
        if (version != Version.V1_4 && (cmbebs | cmbswtp) != 0) {
            throw bad(
                    "CMBEBS or CMBSWTP before 1.4",
                    "Use version 1.4, or leave elasticity buffer and throughput out");
        }
    }

    /**
     * Returns a CMB of version 1.4 in BAR 2 with {@link #COMMON_SUPPORT}, to which all restrictions
     * apply. Its unit is the largest up to 1 MiB that divides the size.
     */
    public static CmbModel of(long sizeBytes) {
        long unit = 1L << 20;
        while (unit > MIN_UNIT_BYTES && sizeBytes % unit != 0) {
            unit >>= 4;
        }
        return new CmbModel(sizeBytes, Version.V1_4, 2, unit, 0, 0, COMMON_SUPPORT, 0, 64, 0, 0);
    }

    /** Returns this CMB with another version. */
    public CmbModel withVersion(Version version) {
        return new CmbModel(
                sizeBytes,
                version,
                bar,
                unitBytes,
                offsetUnits,
                barBytes,
                support,
                rules,
                addressBits,
                cmbebs,
                cmbswtp);
    }

    /**
     * Returns this CMB at another place in a BAR. {@code barBytes} is 0 for a BAR that holds all of
     * it.
     */
    public CmbModel withPlace(int bar, long unitBytes, int offsetUnits, long barBytes) {
        return new CmbModel(
                sizeBytes,
                version,
                bar,
                unitBytes,
                offsetUnits,
                barBytes,
                support,
                rules,
                addressBits,
                cmbebs,
                cmbswtp);
    }

    /** Returns this CMB with other supported uses: CMBSZ bits 4:0. */
    public CmbModel withSupport(int support) {
        return new CmbModel(
                sizeBytes,
                version,
                bar,
                unitBytes,
                offsetUnits,
                barBytes,
                support,
                rules,
                addressBits,
                cmbebs,
                cmbswtp);
    }

    /** Returns this CMB with other lifted restrictions: CMBLOC bits 8:3. */
    public CmbModel withRules(int rules) {
        return new CmbModel(
                sizeBytes,
                version,
                bar,
                unitBytes,
                offsetUnits,
                barBytes,
                support,
                rules,
                addressBits,
                cmbebs,
                cmbswtp);
    }

    /** Returns this CMB of a controller that supports only addresses of this width. */
    public CmbModel withAddressBits(int addressBits) {
        return new CmbModel(
                sizeBytes,
                version,
                bar,
                unitBytes,
                offsetUnits,
                barBytes,
                support,
                rules,
                addressBits,
                cmbebs,
                cmbswtp);
    }

    /**
     * Returns this CMB with another reported elasticity buffer (CMBEBS) and throughput (CMBSWTP).
     */
    public CmbModel withRates(int cmbebs, int cmbswtp) {
        return new CmbModel(
                sizeBytes,
                version,
                bar,
                unitBytes,
                offsetUnits,
                barBytes,
                support,
                rules,
                addressBits,
                cmbebs,
                cmbswtp);
    }

    /** Returns the offset of the CMB in its BAR. */
    public long offsetBytes() {
        return offsetUnits * unitBytes;
    }

    /** Returns CMBLOC as the register reads when enabled. */
    public int cmbloc() {
        return new Cmbloc(rules).withBir(bar).withOfst(offsetUnits).raw();
    }

    /** Returns CMBSZ as the register reads when enabled. */
    public int cmbsz() {
        return new Cmbsz(support)
                .withSzu(szu(unitBytes))
                .withSz((int) (sizeBytes / unitBytes))
                .raw();
    }

    private static int szu(long unitBytes) {
        for (int szu = 0; szu <= MAX_SZU; szu++) {
            if (unitBytes == MIN_UNIT_BYTES << (4 * szu)) {
                return szu;
            }
        }
        throw bad(
                "unit of " + unitBytes + " bytes",
                "Use 4 KiB, 64 KiB, 1 MiB, 16 MiB, 256 MiB, 4 GiB or 64 GiB");
    }

    private static PeerlaneException bad(String what, String remedy) {
        return PeerlaneException.request("bad-fabric", "CMB with " + what, remedy);
    }
}
