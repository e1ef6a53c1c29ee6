package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * CMBEBS, Controller Memory Buffer Elasticity Buffer Size (NVMe Base 2.0, 3.1.3.18). If all bits
 * are 0, the controller reports no such buffer, but may still have one.
 *
 * @param raw the register's 32 bits
 */
public record Cmbebs(int raw) {
    /**
     * Returns the Elasticity Buffer Size Units, raw: 0 bytes, 1 KiB, 2 MiB, 3 GiB; others are
     * reserved.
     */
    public int cmbszu() {
        return Bits.get(raw, 3, 0);
    }

    /**
     * Returns whether Read Bypass Behavior is set: a read that does not conflict with buffered
     * writes shall bypass them. If 0, it may.
     */
    public boolean cmbrbb() {
        return Bits.bit(raw, 4);
    }

    /** Returns the Elasticity Buffer Size Base, in units. */
    public int cmbwbz() {
        return Bits.get(raw, 31, 8);
    }

    /**
     * Returns the size of the elasticity buffer in bytes; 0 if there is none or the unit is
     * reserved.
     */
    public long sizeBytes() {
        return cmbwbz() * Wire.scaleBytes(cmbszu());
    }

    /**
     * Composes the register, in the largest unit that divides the size.
     *
     * @throws IllegalArgumentException if the size does not fit in any unit
     */
    public static Cmbebs ofBytes(long sizeBytes, boolean cmbrbb) {
        int unit = Wire.unitOf(sizeBytes);
        return of(unit, cmbrbb, (int) (sizeBytes / Wire.scaleBytes(unit)));
    }

    /** Composes the register. */
    public static Cmbebs of(int cmbszu, boolean cmbrbb, int cmbwbz) {
        int units = Bits.with(Bits.with(0, 3, 0, cmbszu), 4, 4, flag(cmbrbb));
        return new Cmbebs(Bits.with(units, 31, 8, cmbwbz));
    }
}
