package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * PMRMSCL and PMRMSCU together, Persistent Memory Region Memory Space Control (NVMe Base 2.0,
 * 3.1.3.27 and 3.1.3.28). Write PMRMSCU first, because CMSE is in the lower register.
 *
 * @param raw PMRMSCU in bits 63:32, PMRMSCL in bits 31:0
 */
public record Pmrmsc(long raw) {
    /** Combines the two registers. */
    public static Pmrmsc of(int pmrmscl, int pmrmscu) {
        return new Pmrmsc(((long) pmrmscu << 32) | Integer.toUnsignedLong(pmrmscl));
    }

    /**
     * Returns whether Controller Memory Space Enable is set: addresses from CBA on access the PMR.
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

    /** Returns the value of PMRMSCL. */
    public int lowerHalf() {
        return (int) raw;
    }

    /** Returns the value of PMRMSCU. */
    public int upperHalf() {
        return (int) (raw >>> 32);
    }

    /** Returns a copy with another CMSE. */
    public Pmrmsc withCmse(boolean cmse) {
        return new Pmrmsc(Bits.with(raw, 1, 1, flag(cmse)));
    }

    /**
     * Returns a copy with another base address.
     *
     * @throws IllegalArgumentException if the address is not a multiple of 4 KiB
     */
    public Pmrmsc withBaseAddress(long baseAddress) {
        return new Pmrmsc(Bits.with(raw, 63, 12, Wire.pageNumber(baseAddress)));
    }
}
