package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * CMBSZ, Controller Memory Buffer Size (NVMe Base 2.0, 3.1.3.12).
 *
 * <p>Reads as zero on a 1.4 controller until {@link Cmbmsc#cre()} is set.
 *
 * @param raw the register's 32 bits
 */
public record Cmbsz(int raw) {
    /** The largest defined {@link #szu()}: 64 GiB. */
    private static final int MAX_SZU = 6;

    /** Returns whether Submission Queue Support is set: submission queues may be in the CMB. */
    public boolean sqs() {
        return Bits.bit(raw, 0);
    }

    /** Returns whether Completion Queue Support is set: completion queues may be in the CMB. */
    public boolean cqs() {
        return Bits.bit(raw, 1);
    }

    /** Returns whether PRP SGL List Support is set: lists may be in the CMB. */
    public boolean lists() {
        return Bits.bit(raw, 2);
    }

    /**
     * Returns whether Read Data Support is set: this controller's commands may return data to the
     * CMB.
     */
    public boolean rds() {
        return Bits.bit(raw, 3);
    }

    /**
     * Returns whether Write Data Support is set: this controller's commands may take data from the
     * CMB.
     */
    public boolean wds() {
        return Bits.bit(raw, 4);
    }

    /** Returns the Size Units, raw: 4 KiB &lt;&lt; (4 * SZU); 7 and above are reserved. */
    public int szu() {
        return Bits.get(raw, 11, 8);
    }

    /** Returns the size in units. */
    public int sz() {
        return Bits.get(raw, 31, 12);
    }

    /** Returns the unit of SZ and of CMBLOC.OFST in bytes; 0 for a reserved SZU. */
    public long unitBytes() {
        return szu() > MAX_SZU ? 0 : 1L << (12 + 4 * szu());
    }

    /** Returns the declared size of the CMB in bytes. The BAR may be shorter. */
    public long sizeBytes() {
        return sz() * unitBytes();
    }

    /** Returns a copy with another SQS. */
    public Cmbsz withSqs(boolean sqs) {
        return new Cmbsz(Bits.with(raw, 0, 0, flag(sqs)));
    }

    /** Returns a copy with another CQS. */
    public Cmbsz withCqs(boolean cqs) {
        return new Cmbsz(Bits.with(raw, 1, 1, flag(cqs)));
    }

    /** Returns a copy with another LISTS. */
    public Cmbsz withLists(boolean lists) {
        return new Cmbsz(Bits.with(raw, 2, 2, flag(lists)));
    }

    /** Returns a copy with another RDS. */
    public Cmbsz withRds(boolean rds) {
        return new Cmbsz(Bits.with(raw, 3, 3, flag(rds)));
    }

    /** Returns a copy with another WDS. */
    public Cmbsz withWds(boolean wds) {
        return new Cmbsz(Bits.with(raw, 4, 4, flag(wds)));
    }

    /** Returns a copy with another SZU. */
    public Cmbsz withSzu(int szu) {
        return new Cmbsz(Bits.with(raw, 11, 8, szu));
    }

    /** Returns a copy with another SZ, in units. */
    public Cmbsz withSz(int sz) {
        return new Cmbsz(Bits.with(raw, 31, 12, sz));
    }
}
