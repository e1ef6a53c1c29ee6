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
    /** Largest defined {@link #szu()}: 64 GiB. */
    private static final int MAX_SZU = 6;

    /** Submission Queue Support in the CMB. */
    public boolean sqs() {
        return Bits.bit(raw, 0);
    }

    /** Completion Queue Support in the CMB. */
    public boolean cqs() {
        return Bits.bit(raw, 1);
    }

    /** PRP SGL List Support in the CMB. */
    public boolean lists() {
        return Bits.bit(raw, 2);
    }

    /** Read Data Support: the CMB takes data that this controller's commands return. */
    public boolean rds() {
        return Bits.bit(raw, 3);
    }

    /** Write Data Support: the CMB gives data to commands of this controller. */
    public boolean wds() {
        return Bits.bit(raw, 4);
    }

    /** Size Units, raw: 4 KiB &lt;&lt; (4 * SZU); 7 and above are reserved. */
    public int szu() {
        return Bits.get(raw, 11, 8);
    }

    /** Size in units. */
    public int sz() {
        return Bits.get(raw, 31, 12);
    }

    /** Unit of SZ and of CMBLOC.OFST; 0 for a reserved SZU, whose meaning nobody knows. */
    public long unitBytes() {
        return szu() > MAX_SZU ? 0 : 1L << (12 + 4 * szu());
    }

    /** Size of the CMB as stated; the BAR may be shorter. */
    public long sizeBytes() {
        return sz() * unitBytes();
    }

    /** This register with another SQS. */
    public Cmbsz withSqs(boolean sqs) {
        return new Cmbsz(Bits.with(raw, 0, 0, flag(sqs)));
    }

    /** This register with another CQS. */
    public Cmbsz withCqs(boolean cqs) {
        return new Cmbsz(Bits.with(raw, 1, 1, flag(cqs)));
    }

    /** This register with another LISTS. */
    public Cmbsz withLists(boolean lists) {
        return new Cmbsz(Bits.with(raw, 2, 2, flag(lists)));
    }

    /** This register with another RDS. */
    public Cmbsz withRds(boolean rds) {
        return new Cmbsz(Bits.with(raw, 3, 3, flag(rds)));
    }

    /** This register with another WDS. */
    public Cmbsz withWds(boolean wds) {
        return new Cmbsz(Bits.with(raw, 4, 4, flag(wds)));
    }

    /** This register with another SZU. */
    public Cmbsz withSzu(int szu) {
        return new Cmbsz(Bits.with(raw, 11, 8, szu));
    }

    /** This register with another SZ, in units. */
    public Cmbsz withSz(int sz) {
        return new Cmbsz(Bits.with(raw, 31, 12, sz));
    }
}
