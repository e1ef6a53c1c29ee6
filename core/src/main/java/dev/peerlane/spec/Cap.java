package dev.peerlane.spec;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CAP, Controller Capabilities (NVMe Base 2.0, 3.1.3.1). Read only to the host.
 *
 * @param raw the register's 64 bits
 */
public record Cap(long raw) {
    /** Unit of {@link #to()}: 500 ms. */
    private static final int TIMEOUT_UNIT_MILLIS = 500;

    /** Bit of {@link #css()}: the NVM Command Set. */
    public static final int CSS_NVM = 1;

    /** Bit of {@link #css()}: one or more I/O Command Sets, found by Identify. */
    public static final int CSS_IOCS = 1 << 6;

    /** Bit of {@link #css()}: no I/O Command Set, admin commands only. */
    public static final int CSS_NO_IO = 1 << 7;

    /** Returns the Maximum Queue Entries Supported, zero based. Applies to I/O queues. */
    public int mqesZ() {
        return (int) Bits.get(raw, 15, 0);
    }

    /** Returns the maximum number of entries of an I/O queue. */
    public int maxQueueEntries() {
        return mqesZ() + 1;
    }

    /** Returns whether Contiguous Queues Required is set. */
    public boolean cqr() {
        return Bits.bit(raw, 16);
    }

    /**
     * Returns the Arbitration Mechanism Supported: bit 0 weighted round robin, bit 1 vendor
     * specific.
     */
    public int ams() {
        return (int) Bits.get(raw, 18, 17);
    }

    /** Returns the timeout for CSTS.RDY to follow CC.EN, raw, in units of 500 ms. */
    public int to() {
        return (int) Bits.get(raw, 31, 24);
    }

    /**
     * Returns the timeout for CSTS.RDY to follow CC.EN, in milliseconds. CRTO, if present, may
     * allow a longer time.
     */
    public int timeoutMillis() {
        return to() * TIMEOUT_UNIT_MILLIS;
    }

    /** Returns the Doorbell Stride, raw: doorbells are 4 &lt;&lt; DSTRD bytes apart. */
    public int dstrd() {
        return (int) Bits.get(raw, 35, 32);
    }

    /** Returns the distance between two doorbells in bytes. */
    public int doorbellStrideBytes() {
        return 4 << dstrd();
    }

    /** Returns whether NVM Subsystem Reset Supported is set. */
    public boolean nssrs() {
        return Bits.bit(raw, 36);
    }

    /**
     * Returns the Command Sets Supported: {@link #CSS_NVM}, {@link #CSS_IOCS}, {@link #CSS_NO_IO}.
     */
    public int css() {
        return (int) Bits.get(raw, 44, 37);
    }

    /** Returns whether Boot Partition Support is set. */
    public boolean bps() {
        return Bits.bit(raw, 45);
    }

    /** Returns the Controller Power Scope. */
    public int cps() {
        return (int) Bits.get(raw, 47, 46);
    }

    /** Returns the Memory Page Size Minimum, raw: 2 ^ (12 + MPSMIN) bytes. */
    public int mpsmin() {
        return (int) Bits.get(raw, 51, 48);
    }

    /**
     * Returns the smallest page size of the controller in bytes, which is also the unit of MDTS.
     */
    public int minPageBytes() {
        return 1 << (12 + mpsmin());
    }

    /** Returns the Memory Page Size Maximum, raw: 2 ^ (12 + MPSMAX) bytes. */
    public int mpsmax() {
        return (int) Bits.get(raw, 55, 52);
    }

    /** Returns the largest page size of the controller in bytes. */
    public int maxPageBytes() {
        return 1 << (12 + mpsmax());
    }

    /** Returns whether Persistent Memory Region Supported (1.4 and later) is set. */
    public boolean pmrs() {
        return Bits.bit(raw, 56);
    }

    /**
     * Returns whether Controller Memory Buffer Supported is set (1.4): the CMB is enabled by
     * CMBMSC. A CMB of version 1.2 or 1.3 leaves it 0.
     */
    public boolean cmbs() {
        return Bits.bit(raw, 57);
    }

    /** Returns whether NVM Subsystem Shutdown Supported is set. */
    public boolean nsss() {
        return Bits.bit(raw, 58);
    }

    /**
     * Returns the Controller Ready Modes Supported: bit 0 with media, bit 1 independent of media.
     */
    public int crms() {
        return (int) Bits.get(raw, 60, 59);
    }

    /** Returns a copy with another zero-based MQES. */
    public Cap withMqesZ(int mqesZ) {
        return new Cap(Bits.with(raw, 15, 0, mqesZ));
    }

    /** Returns a copy with another CQR. */
    public Cap withCqr(boolean cqr) {
        return new Cap(Bits.with(raw, 16, 16, flag(cqr)));
    }

    /** Returns a copy with another AMS. */
    public Cap withAms(int ams) {
        return new Cap(Bits.with(raw, 18, 17, ams));
    }

    /** Returns a copy with another TO, in units of 500 ms. */
    public Cap withTo(int to) {
        return new Cap(Bits.with(raw, 31, 24, to));
    }

    /** Returns a copy with another DSTRD. */
    public Cap withDstrd(int dstrd) {
        return new Cap(Bits.with(raw, 35, 32, dstrd));
    }

    /** Returns a copy with another NSSRS. */
    public Cap withNssrs(boolean nssrs) {
        return new Cap(Bits.with(raw, 36, 36, flag(nssrs)));
    }

    /** Returns a copy with another CSS. */
    public Cap withCss(int css) {
        return new Cap(Bits.with(raw, 44, 37, css));
    }

    /** Returns a copy with another MPSMIN. */
    public Cap withMpsmin(int mpsmin) {
        return new Cap(Bits.with(raw, 51, 48, mpsmin));
    }

    /** Returns a copy with another MPSMAX. */
    public Cap withMpsmax(int mpsmax) {
        return new Cap(Bits.with(raw, 55, 52, mpsmax));
    }

    /** Returns a copy with another PMRS. */
    public Cap withPmrs(boolean pmrs) {
        return new Cap(Bits.with(raw, 56, 56, flag(pmrs)));
    }

    /** Returns a copy with another CMBS. */
    public Cap withCmbs(boolean cmbs) {
        return new Cap(Bits.with(raw, 57, 57, flag(cmbs)));
    }

    /** Returns a copy with another CRMS. */
    public Cap withCrms(int crms) {
        return new Cap(Bits.with(raw, 60, 59, crms));
    }
}
