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

    /** Maximum Queue Entries Supported, zero based. Applies to I/O queues. */
    public int mqesZ() {
        return (int) Bits.get(raw, 15, 0);
    }

    /** Largest number of entries of an I/O queue. */
    public int maxQueueEntries() {
        return mqesZ() + 1;
    }

    /** Contiguous Queues Required. */
    public boolean cqr() {
        return Bits.bit(raw, 16);
    }

    /** Arbitration Mechanism Supported: bit 0 weighted round robin, bit 1 vendor specific. */
    public int ams() {
        return (int) Bits.get(raw, 18, 17);
    }

    /** Timeout for CSTS.RDY to follow CC.EN, raw, in units of 500 ms. */
    public int to() {
        return (int) Bits.get(raw, 31, 24);
    }

    /** Timeout for CSTS.RDY to follow CC.EN. A controller with CRTO may allow longer there. */
    public int timeoutMillis() {
        return to() * TIMEOUT_UNIT_MILLIS;
    }

    /** Doorbell Stride, raw: doorbells are 4 &lt;&lt; DSTRD bytes apart. */
    public int dstrd() {
        return (int) Bits.get(raw, 35, 32);
    }

    /** Distance between two doorbells. */
    public int doorbellStrideBytes() {
        return 4 << dstrd();
    }

    /** NVM Subsystem Reset Supported. */
    public boolean nssrs() {
        return Bits.bit(raw, 36);
    }

    /** Command Sets Supported: {@link #CSS_NVM}, {@link #CSS_IOCS}, {@link #CSS_NO_IO}. */
    public int css() {
        return (int) Bits.get(raw, 44, 37);
    }

    /** Boot Partition Support. */
    public boolean bps() {
        return Bits.bit(raw, 45);
    }

    /** Controller Power Scope. */
    public int cps() {
        return (int) Bits.get(raw, 47, 46);
    }

    /** Memory Page Size Minimum, raw: 2 ^ (12 + MPSMIN) bytes. */
    public int mpsmin() {
        return (int) Bits.get(raw, 51, 48);
    }

    /** Smallest page size of the controller; also the unit of MDTS. */
    public int minPageBytes() {
        return 1 << (12 + mpsmin());
    }

    /** Memory Page Size Maximum, raw: 2 ^ (12 + MPSMAX) bytes. */
    public int mpsmax() {
        return (int) Bits.get(raw, 55, 52);
    }

    /** Largest page size of the controller. */
    public int maxPageBytes() {
        return 1 << (12 + mpsmax());
    }

    /** Persistent Memory Region Supported (1.4 and later). */
    public boolean pmrs() {
        return Bits.bit(raw, 56);
    }

    /** Controller Memory Buffer Supported through CMBMSC (1.4); 0 on a 1.2 or 1.3 CMB too. */
    public boolean cmbs() {
        return Bits.bit(raw, 57);
    }

    /** NVM Subsystem Shutdown Supported. */
    public boolean nsss() {
        return Bits.bit(raw, 58);
    }

    /** Controller Ready Modes Supported: bit 0 with media, bit 1 independent of media. */
    public int crms() {
        return (int) Bits.get(raw, 60, 59);
    }

    /** This register with another zero-based MQES. */
    public Cap withMqesZ(int mqesZ) {
        return new Cap(Bits.with(raw, 15, 0, mqesZ));
    }

    /** This register with another CQR. */
    public Cap withCqr(boolean cqr) {
        return new Cap(Bits.with(raw, 16, 16, flag(cqr)));
    }

    /** This register with another AMS. */
    public Cap withAms(int ams) {
        return new Cap(Bits.with(raw, 18, 17, ams));
    }

    /** This register with another TO, in units of 500 ms. */
    public Cap withTo(int to) {
        return new Cap(Bits.with(raw, 31, 24, to));
    }

    /** This register with another DSTRD. */
    public Cap withDstrd(int dstrd) {
        return new Cap(Bits.with(raw, 35, 32, dstrd));
    }

    /** This register with another NSSRS. */
    public Cap withNssrs(boolean nssrs) {
        return new Cap(Bits.with(raw, 36, 36, flag(nssrs)));
    }

    /** This register with another CSS. */
    public Cap withCss(int css) {
        return new Cap(Bits.with(raw, 44, 37, css));
    }

    /** This register with another MPSMIN. */
    public Cap withMpsmin(int mpsmin) {
        return new Cap(Bits.with(raw, 51, 48, mpsmin));
    }

    /** This register with another MPSMAX. */
    public Cap withMpsmax(int mpsmax) {
        return new Cap(Bits.with(raw, 55, 52, mpsmax));
    }

    /** This register with another PMRS. */
    public Cap withPmrs(boolean pmrs) {
        return new Cap(Bits.with(raw, 56, 56, flag(pmrs)));
    }

    /** This register with another CMBS. */
    public Cap withCmbs(boolean cmbs) {
        return new Cap(Bits.with(raw, 57, 57, flag(cmbs)));
    }

    /** This register with another CRMS. */
    public Cap withCrms(int crms) {
        return new Cap(Bits.with(raw, 60, 59, crms));
    }
}
