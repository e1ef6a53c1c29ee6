package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * CMBEBS, Controller Memory Buffer Elasticity Buffer Size (NVMe Base 2.0, 3.1.3.18). All zero: the
 * controller says nothing of such a buffer, which does not mean that there is none.
 *
 * @param raw the register's 32 bits
 */
public record Cmbebs(int raw) {
    /** Elasticity Buffer Size Units, raw: 0 bytes, 1 KiB, 2 MiB, 3 GiB; others are reserved. */
    public int cmbszu() {
        return Bits.get(raw, 3, 0);
    }

    /**
     * Read Bypass Behavior: a read that does not conflict with buffered writes shall bypass them.
     * 0: it may.
     */
    public boolean cmbrbb() {
        return Bits.bit(raw, 4);
    }

    /** Elasticity Buffer Size Base, in units. */
    public int cmbwbz() {
        return Bits.get(raw, 31, 8);
    }

    /** Size of the elasticity buffer; 0 for none or for a reserved unit. */
    public long sizeBytes() {
        return cmbwbz() * Wire.scaleBytes(cmbszu());
    }

    /**
     * Composes the register in the largest unit that divides a size.
     *
     * @throws IllegalArgumentException if no unit makes it fit
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
