package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * CMBMSC, Controller Memory Buffer Memory Space Control (NVMe Base 2.0, 3.1.3.16).
 *
 * <p>Where it is written in halves the upper one goes first: some controllers act on the write of
 * the lower half.
 *
 * @param raw the register's 64 bits
 */
public record Cmbmsc(long raw) {
    /** Alignment of the controller base address. */
    public static final int ALIGNMENT_BYTES = 4096;

    /** Capabilities Registers Enabled: CMBLOC and CMBSZ show their values. */
    public boolean cre() {
        return Bits.bit(raw, 0);
    }

    /** Controller Memory Space Enable: addresses from CBA on are the CMB. */
    public boolean cmse() {
        return Bits.bit(raw, 1);
    }

    /** Controller Base Address, raw: the address without its lower 12 bits. */
    public long cba() {
        return Bits.get(raw, 63, 12);
    }

    /** Controller base address in bytes. */
    public long baseAddress() {
        return cba() << 12;
    }

    /** Bits 31:0. */
    public int lowerHalf() {
        return (int) raw;
    }

    /** Bits 63:32. */
    public int upperHalf() {
        return (int) (raw >>> 32);
    }

    /** This register with another CRE. */
    public Cmbmsc withCre(boolean cre) {
        return new Cmbmsc(Bits.with(raw, 0, 0, flag(cre)));
    }

    /** This register with another CMSE. */
    public Cmbmsc withCmse(boolean cmse) {
        return new Cmbmsc(Bits.with(raw, 1, 1, flag(cmse)));
    }

    /**
     * This register with another base address.
     *
     * @throws IllegalArgumentException if the address is not a multiple of 4 KiB
     */
    public Cmbmsc withBaseAddress(long baseAddress) {
        return new Cmbmsc(Bits.with(raw, 63, 12, Wire.pageNumber(baseAddress)));
    }
}
