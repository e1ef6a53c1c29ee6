package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CMBSTS, Controller Memory Buffer Status (NVMe Base 2.0, 3.1.3.17).
 *
 * @param raw the register's 32 bits
 */
public record Cmbsts(int raw) {
    /**
     * Returns whether Controller Base Address Invalid is set: the window of CMBMSC was not
     * accepted.
     */
    public boolean cbai() {
        return Bits.bit(raw, 0);
    }

    /** Returns a copy with another CBAI. */
    public Cmbsts withCbai(boolean cbai) {
        return new Cmbsts(Bits.with(raw, 0, 0, flag(cbai)));
    }
}
