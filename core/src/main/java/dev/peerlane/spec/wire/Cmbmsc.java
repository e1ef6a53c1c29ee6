package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * CMBMSC, Controller Memory Buffer Memory Space Control (NVMe Base 2.0, 3.1.3.16).
 *
 * <p>If it is written in halves, write the upper half first: some controllers act when the lower
 * half is written.
 *
 * @param raw the register's 64 bits
 */
public record Cmbmsc(long raw) {
    /** The alignment of the controller base address. */
    public static final int ALIGNMENT_BYTES = 4096;

    /**
     * Returns whether Capabilities Registers Enabled is set: CMBLOC and CMBSZ read their values
     * instead of 0.
     */
    public boolean cre() {
        return Bits.bit(raw, 0);
    }

    /**
     * Returns whether Controller Memory Space Enable is set: addresses from CBA on access the CMB.
     */
    public boolean cmse() {
        return Bits.bit(raw, 1);
    }

    /** Returns the Controller Base Address, raw: the address without its lower 12 bits. */
    public long cba() {
        return Bits.get(raw, 63, 12);
    }

    /** Returns the controller base address in bytes. */
    public long baseAddress() {
        return cba() << 12;
    }

    /** Returns bits 31:0. */
    public int lowerHalf() {
        return (int) raw;
    }

    /** Returns bits 63:32. */
    public int upperHalf() {
        return (int) (raw >>> 32);
    }

    /** Returns a copy with another CRE. */
    public Cmbmsc withCre(boolean cre) {
        return new Cmbmsc(Bits.with(raw, 0, 0, flag(cre)));
    }

    /** Returns a copy with another CMSE. */
    public Cmbmsc withCmse(boolean cmse) {
        return new Cmbmsc(Bits.with(raw, 1, 1, flag(cmse)));
    }

    /**
     * Returns a copy with another base address.
     *
     * @throws IllegalArgumentException if the address is not a multiple of 4 KiB
     */
    public Cmbmsc withBaseAddress(long baseAddress) {
        return new Cmbmsc(Bits.with(raw, 63, 12, Wire.pageNumber(baseAddress)));
    }
}
