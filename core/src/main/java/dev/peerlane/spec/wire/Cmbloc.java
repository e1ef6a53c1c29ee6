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
    /** Base Indicator Register: the BAR that holds the CMB; 0, 2, 3, 4 and 5 are valid. */
    public int bir() {
        return Bits.get(raw, 2, 0);
    }

    /** CMB Queue Mixed Memory Support: one queue partly in the CMB, partly in host memory. */
    public boolean cqmms() {
        return Bits.bit(raw, 3);
    }

    /** CMB Queue Physically Discontiguous Support. */
    public boolean cqpds() {
        return Bits.bit(raw, 4);
    }

    /** CMB Data Pointer Mixed Locations Support: the lists of one command partly in the CMB. */
    public boolean cdpmls() {
        return Bits.bit(raw, 5);
    }

    /** CMB Data Pointer and Command Independent Locations Support. */
    public boolean cdpcils() {
        return Bits.bit(raw, 6);
    }

    /** CMB Data Metadata Mixed Memory Support: the data of one command partly in the CMB. */
    public boolean cdmmms() {
        return Bits.bit(raw, 7);
    }

    /** CMB Queue Dword Alignment: a queue in the CMB may start at any dword. */
    public boolean cqda() {
        return Bits.bit(raw, 8);
    }

    /** Offset of the CMB in its BAR, in units of {@link Cmbsz#unitBytes()}, not in bytes. */
    public int ofst() {
        return Bits.get(raw, 31, 12);
    }

    /**
     * Offset of the CMB in its BAR.
     *
     * @param cmbsz the same controller's CMBSZ, which holds the unit
     */
    public long offsetBytes(Cmbsz cmbsz) {
        return ofst() * cmbsz.unitBytes();
    }

    /** This register with another BIR. */
    public Cmbloc withBir(int bir) {
        return new Cmbloc(Bits.with(raw, 2, 0, bir));
    }

    /** This register with another CQMMS. */
    public Cmbloc withCqmms(boolean cqmms) {
        return new Cmbloc(Bits.with(raw, 3, 3, flag(cqmms)));
    }

    /** This register with another CQPDS. */
    public Cmbloc withCqpds(boolean cqpds) {
        return new Cmbloc(Bits.with(raw, 4, 4, flag(cqpds)));
    }

    /** This register with another CDPMLS. */
    public Cmbloc withCdpmls(boolean cdpmls) {
        return new Cmbloc(Bits.with(raw, 5, 5, flag(cdpmls)));
    }

    /** This register with another CDPCILS. */
    public Cmbloc withCdpcils(boolean cdpcils) {
        return new Cmbloc(Bits.with(raw, 6, 6, flag(cdpcils)));
    }

    /** This register with another CDMMMS. */
    public Cmbloc withCdmmms(boolean cdmmms) {
        return new Cmbloc(Bits.with(raw, 7, 7, flag(cdmmms)));
    }

    /** This register with another CQDA. */
    public Cmbloc withCqda(boolean cqda) {
        return new Cmbloc(Bits.with(raw, 8, 8, flag(cqda)));
    }

    /** This register with another OFST, in units of {@link Cmbsz#unitBytes()}. */
    public Cmbloc withOfst(int ofst) {
        return new Cmbloc(Bits.with(raw, 31, 12, ofst));
    }
}
