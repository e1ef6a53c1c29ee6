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

    /**
     * Returns whether Read Data Support is set: this controller's commands may return data to the
     * PMR.
     */
    public boolean rds() {
        return Bits.bit(raw, 3);
    }

    /**
     * Returns whether Write Data Support is set: this controller's commands may take data from the
     * PMR.
     */
    public boolean wds() {
        return Bits.bit(raw, 4);
    }

    /** Returns the Base Indicator Register: the BAR that contains the PMR. */
    public int bir() {
        return Bits.get(raw, 7, 5);
    }

    /** Returns the Time Units of PMRTO: 0 half seconds, 1 minutes. */
    public int pmrtu() {
        return Bits.get(raw, 9, 8);
    }

    /** Returns the Write Barrier Mechanisms: {@link #WBM_PMR_READ}, {@link #WBM_PMRSTS_READ}. */
    public int pmrwbm() {
        return Bits.get(raw, 13, 10);
    }

    /** Returns the timeout for the region to follow PMRCTL.EN, in units of PMRTU. */
    public int pmrto() {
        return Bits.get(raw, 23, 16);
    }

    /**
     * Returns whether Controller Memory Space Supported is set: PMRMSC can give the PMR an address
     * for commands.
     */
    public boolean cmss() {
        return Bits.bit(raw, 24);
    }

    /**
     * Returns the timeout for the region to follow PMRCTL.EN, in milliseconds. A reserved unit
     * counts as minutes.
     */
    public int timeoutMillis() {
        return pmrto() * (pmrtu() == 0 ? HALF_SECOND_MILLIS : MINUTE_MILLIS);
    }

    /** Returns a copy with another RDS. */
    public Pmrcap withRds(boolean rds) {
        return new Pmrcap(Bits.with(raw, 3, 3, flag(rds)));
    }

    /** Returns a copy with another WDS. */
    public Pmrcap withWds(boolean wds) {
        return new Pmrcap(Bits.with(raw, 4, 4, flag(wds)));
    }

    /** Returns a copy with another BIR. */
    public Pmrcap withBir(int bir) {
        return new Pmrcap(Bits.with(raw, 7, 5, bir));
    }

    /** Returns a copy with another PMRTU. */
    public Pmrcap withPmrtu(int pmrtu) {
        return new Pmrcap(Bits.with(raw, 9, 8, pmrtu));
    }

    /** Returns a copy with another PMRWBM. */
    public Pmrcap withPmrwbm(int pmrwbm) {
        return new Pmrcap(Bits.with(raw, 13, 10, pmrwbm));
    }

    /** Returns a copy with another PMRTO. */
    public Pmrcap withPmrto(int pmrto) {
        return new Pmrcap(Bits.with(raw, 23, 16, pmrto));
    }

    /** Returns a copy with another CMSS. */
    public Pmrcap withCmss(boolean cmss) {
        return new Pmrcap(Bits.with(raw, 24, 24, flag(cmss)));
    }
}
