package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * PMRCAP, Persistent Memory Region Capabilities (NVMe Base 2.0, 3.1.3.22).
 *
 * @param raw the register's 32 bits
 */
public record Pmrcap(int raw) {
    /** Bit of {@link #pmrwbm()}: a read of the PMR completes all writes before it. */
    public static final int WBM_PMR_READ = 1;

    /** Bit of {@link #pmrwbm()}: a read of PMRSTS completes all writes before it. */
    public static final int WBM_PMRSTS_READ = 1 << 1;

    private static final int HALF_SECOND_MILLIS = 500;
    private static final int MINUTE_MILLIS = 60_000;

    /** Read Data Support: the PMR takes data that this controller's commands return. */
    public boolean rds() {
        return Bits.bit(raw, 3);
    }

    /** Write Data Support: the PMR gives data to commands of this controller. */
    public boolean wds() {
        return Bits.bit(raw, 4);
    }

    /** Base Indicator Register: the BAR that is the PMR. */
    public int bir() {
        return Bits.get(raw, 7, 5);
    }

    /** Time Units of PMRTO: 0 half seconds, 1 minutes. */
    public int pmrtu() {
        return Bits.get(raw, 9, 8);
    }

    /** Write Barrier Mechanisms: {@link #WBM_PMR_READ}, {@link #WBM_PMRSTS_READ}. */
    public int pmrwbm() {
        return Bits.get(raw, 13, 10);
    }

    /** Timeout for the region to follow PMRCTL.EN, in units of PMRTU. */
    public int pmrto() {
        return Bits.get(raw, 23, 16);
    }

    /** Controller Memory Space Supported: PMRMSC gives commands an address for the PMR. */
    public boolean cmss() {
        return Bits.bit(raw, 24);
    }

    /** Timeout for the region to follow PMRCTL.EN; a reserved unit counts as minutes. */
    public int timeoutMillis() {
        return pmrto() * (pmrtu() == 0 ? HALF_SECOND_MILLIS : MINUTE_MILLIS);
    }

    /** This register with another RDS. */
    public Pmrcap withRds(boolean rds) {
        return new Pmrcap(Bits.with(raw, 3, 3, flag(rds)));
    }

    /** This register with another WDS. */
    public Pmrcap withWds(boolean wds) {
        return new Pmrcap(Bits.with(raw, 4, 4, flag(wds)));
    }

    /** This register with another BIR. */
    public Pmrcap withBir(int bir) {
        return new Pmrcap(Bits.with(raw, 7, 5, bir));
    }

    /** This register with another PMRTU. */
    public Pmrcap withPmrtu(int pmrtu) {
        return new Pmrcap(Bits.with(raw, 9, 8, pmrtu));
    }

    /** This register with another PMRWBM. */
    public Pmrcap withPmrwbm(int pmrwbm) {
        return new Pmrcap(Bits.with(raw, 13, 10, pmrwbm));
    }

    /** This register with another PMRTO. */
    public Pmrcap withPmrto(int pmrto) {
        return new Pmrcap(Bits.with(raw, 23, 16, pmrto));
    }

    /** This register with another CMSS. */
    public Pmrcap withCmss(boolean cmss) {
        return new Pmrcap(Bits.with(raw, 24, 24, flag(cmss)));
    }
}
