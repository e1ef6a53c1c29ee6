package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * PMRSTS, Persistent Memory Region Status (NVMe Base 2.0, 3.1.3.24).
 *
 * @param raw the register's 32 bits
 */
public record Pmrsts(int raw) {
    /** {@link #hsts()}: normal operation. */
    public static final int HSTS_NORMAL = 0;

    /**
     * {@link #hsts()}: the region could not be restored, so its content is not what was written.
     */
    public static final int HSTS_RESTORE_ERROR = 1;

    /** {@link #hsts()}: read only. */
    public static final int HSTS_READ_ONLY = 2;

    /** {@link #hsts()}: reads may fail and writes may not persist. */
    public static final int HSTS_UNRELIABLE = 3;

    /** Returns the Error field: not 0 if an earlier write did not complete without error. */
    public int err() {
        return Bits.get(raw, 7, 0);
    }

    /** Returns whether Not Ready is set. */
    public boolean nrdy() {
        return Bits.bit(raw, 8);
    }

    /** Returns the Health Status. */
    public int hsts() {
        return Bits.get(raw, 11, 9);
    }

    /**
     * Returns whether Controller Base Address Invalid is set: the window of PMRMSC was not
     * accepted.
     */
    public boolean cbai() {
        return Bits.bit(raw, 12);
    }

    /** Returns a copy with another ERR. */
    public Pmrsts withErr(int err) {
        return new Pmrsts(Bits.with(raw, 7, 0, err));
    }

    /** Returns a copy with another NRDY. */
    public Pmrsts withNrdy(boolean nrdy) {
        return new Pmrsts(Bits.with(raw, 8, 8, flag(nrdy)));
    }

    /** Returns a copy with another HSTS. */
    public Pmrsts withHsts(int hsts) {
        return new Pmrsts(Bits.with(raw, 11, 9, hsts));
    }

    /** Returns a copy with another CBAI. */
    public Pmrsts withCbai(boolean cbai) {
        return new Pmrsts(Bits.with(raw, 12, 12, flag(cbai)));
    }
}
