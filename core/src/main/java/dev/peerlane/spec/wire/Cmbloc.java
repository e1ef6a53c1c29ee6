package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CMBLOC, Controller Memory Buffer Location (NVMe Base 2.0, 3.1.3.11).
 *
 * <p>Reads as zero on a 1.4 controller until {@link Cmbmsc#cre()} is set.
 *
 * @param raw the register's 32 bits
 */
public record Cmbloc(int raw) {
    /**
     * Returns the Base Indicator Register: the BAR that contains the CMB; 0, 2, 3, 4 and 5 are
     * valid.
     */
    public int bir() {
        return Bits.get(raw, 2, 0);
    }

    /**
     * Returns whether CMB Queue Mixed Memory Support is set: a queue may be partly in the CMB and
     * partly in host memory.
     */
    public boolean cqmms() {
        return Bits.bit(raw, 3);
    }

    /** Returns whether CMB Queue Physically Discontiguous Support is set. */
    public boolean cqpds() {
        return Bits.bit(raw, 4);
    }

    /**
     * Returns whether CMB Data Pointer Mixed Locations Support is set: the lists of one command may
     * be partly in the CMB.
     */
    public boolean cdpmls() {
        return Bits.bit(raw, 5);
    }

    /** Returns whether CMB Data Pointer and Command Independent Locations Support is set. */
    public boolean cdpcils() {
        return Bits.bit(raw, 6);
    }

    /**
     * Returns whether CMB Data Metadata Mixed Memory Support is set: the data of one command may be
     * partly in the CMB.
     */
    public boolean cdmmms() {
        return Bits.bit(raw, 7);
    }

    /**
     * Returns whether CMB Queue Dword Alignment is set: a queue in the CMB may start at any dword.
     */
    public boolean cqda() {
        return Bits.bit(raw, 8);
    }

    /**
     * Returns the offset of the CMB in its BAR, in units of {@link Cmbsz#unitBytes()}, not in
     * bytes.
     */
    public int ofst() {
        return Bits.get(raw, 31, 12);
    }

    /**
     * Returns the offset of the CMB in its BAR in bytes.
     *
     * @param cmbsz the same controller's CMBSZ, which holds the unit
     */
    public long offsetBytes(Cmbsz cmbsz) {
        return ofst() * cmbsz.unitBytes();
    }

    /** Returns a copy with another BIR. */
    public Cmbloc withBir(int bir) {
        return new Cmbloc(Bits.with(raw, 2, 0, bir));
    }

    /** Returns a copy with another CQMMS. */
    public Cmbloc withCqmms(boolean cqmms) {
        return new Cmbloc(Bits.with(raw, 3, 3, flag(cqmms)));
    }

    /** Returns a copy with another CQPDS. */
    public Cmbloc withCqpds(boolean cqpds) {
        return new Cmbloc(Bits.with(raw, 4, 4, flag(cqpds)));
    }

    /** Returns a copy with another CDPMLS. */
    public Cmbloc withCdpmls(boolean cdpmls) {
        return new Cmbloc(Bits.with(raw, 5, 5, flag(cdpmls)));
    }

    /** Returns a copy with another CDPCILS. */
    public Cmbloc withCdpcils(boolean cdpcils) {
        return new Cmbloc(Bits.with(raw, 6, 6, flag(cdpcils)));
    }

    /** Returns a copy with another CDMMMS. */
    public Cmbloc withCdmmms(boolean cdmmms) {
        return new Cmbloc(Bits.with(raw, 7, 7, flag(cdmmms)));
    }

    /** Returns a copy with another CQDA. */
    public Cmbloc withCqda(boolean cqda) {
        return new Cmbloc(Bits.with(raw, 8, 8, flag(cqda)));
    }

    /** Returns a copy with another OFST, in units of {@link Cmbsz#unitBytes()}. */
    public Cmbloc withOfst(int ofst) {
        return new Cmbloc(Bits.with(raw, 31, 12, ofst));
    }
}
