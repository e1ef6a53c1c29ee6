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
    /** Elasticity Buffer Size Units, raw: 0 bytes, 1 KiB, 2 MiB, 3 GiB; others are reserved. */
    public int pmrszu() {
        return Bits.get(raw, 3, 0);
    }

    /**
     * Read Bypass Behavior: a read that does not conflict with buffered writes shall bypass them.
     * 0: it may.
     */
    public boolean rbb() {
        return Bits.bit(raw, 4);
    }

    /** Elasticity Buffer Size Base, in units. */
    public int pmrwbz() {
        return Bits.get(raw, 31, 8);
    }

    /** Size of the elasticity buffer; 0 for none or for a reserved unit. */
    public long sizeBytes() {
        return pmrwbz() * Wire.scaleBytes(pmrszu());
    }

    /** Composes the register. */
    public static Pmrebs of(int pmrszu, boolean rbb, int pmrwbz) {
        int units = Bits.with(Bits.with(0, 3, 0, pmrszu), 4, 4, flag(rbb));
        return new Pmrebs(Bits.with(units, 31, 8, pmrwbz));
    }
}
