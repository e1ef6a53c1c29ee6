package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * PMREBS, Persistent Memory Region Elasticity Buffer Size (NVMe Base 2.0, 3.1.3.25).
 *
 * @param raw the register's 32 bits
 */
public record Pmrebs(int raw) {
    /**
     * Returns the Elasticity Buffer Size Units, raw: 0 bytes, 1 KiB, 2 MiB, 3 GiB; others are
     * reserved.
     */
    public int pmrszu() {
        return Bits.get(raw, 3, 0);
    }

    /**
     * Returns whether Read Bypass Behavior is set: a read that does not conflict with buffered
     * writes shall bypass them. If 0, it may.
     */
    public boolean rbb() {
        return Bits.bit(raw, 4);
    }

    /** Returns the Elasticity Buffer Size Base, in units. */
    public int pmrwbz() {
        return Bits.get(raw, 31, 8);
    }

    /**
     * Returns the size of the elasticity buffer in bytes; 0 if there is none or the unit is
     * reserved.
     */
    public long sizeBytes() {
        return pmrwbz() * Wire.scaleBytes(pmrszu());
    }

    /** Composes the register. */
    public static Pmrebs of(int pmrszu, boolean rbb, int pmrwbz) {
        int units = Bits.with(Bits.with(0, 3, 0, pmrszu), 4, 4, flag(rbb));
        return new Pmrebs(Bits.with(units, 31, 8, pmrwbz));
    }
}
