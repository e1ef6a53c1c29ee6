package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * PMRCTL, Persistent Memory Region Control (NVMe Base 2.0, 3.1.3.23).
 *
 * @param raw the register's 32 bits
 */
public record Pmrctl(int raw) {
    /** Returns whether Enable is set: the region is ready when PMRSTS.NRDY is 0. */
    public boolean en() {
        return Bits.bit(raw, 0);
    }

    /** Returns a copy with another EN. */
    public Pmrctl withEn(boolean en) {
        return new Pmrctl(Bits.with(raw, 0, 0, flag(en)));
    }
}
