package dev.peerlane.nvme;

import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsts;
import dev.peerlane.spec.wire.Cmbswtp;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Pmrcap;
import dev.peerlane.spec.wire.Pmrctl;
import dev.peerlane.spec.wire.Pmrebs;
import dev.peerlane.spec.wire.Pmrmsc;
import dev.peerlane.spec.wire.Pmrsts;
import dev.peerlane.spec.wire.Pmrswtp;
import dev.peerlane.spec.wire.Reg;

/**
 * The values of all registers that describe memory of a controller for its peers, as they were
 * read: the controller memory buffer (NVMe Base 2.0, 3.1.3.11 and following) and the persistent
 * memory region. Registers that the controller's version does not have are 0.
 *
 * @param cap CAP, for CMBS and PMRS
 * @param vs VS
 * @param cmbloc CMBLOC: where the CMB is
 * @param cmbsz CMBSZ: the length of the CMB and what it may hold
 * @param cmbmsc CMBMSC: the bus address of the CMB, since 1.4
 * @param cmbsts CMBSTS: whether the controller refuses that address, since 1.4
 * @param cmbebs CMBEBS: the elasticity buffer of the CMB, since 1.4
 * @param cmbswtp CMBSWTP: the sustained write throughput of the CMB, since 1.4
 * @param pmrcap PMRCAP: capabilities of the PMR; like all PMR registers since 1.4 and with CAP.PMRS
 * @param pmrctl PMRCTL: whether the PMR is enabled
 * @param pmrsts PMRSTS: the state of the PMR
 * @param pmrebs PMREBS: the elasticity buffer of the PMR
 * @param pmrswtp PMRSWTP: the sustained write throughput of the PMR
 * @param pmrmsc PMRMSC: the bus address of the PMR
 */
record CmbInfo(
        Cap cap,
        Vs vs,
        Cmbloc cmbloc,
        Cmbsz cmbsz,
        Cmbmsc cmbmsc,
        Cmbsts cmbsts,
        Cmbebs cmbebs,
        Cmbswtp cmbswtp,
        Pmrcap pmrcap,
        Pmrctl pmrctl,
        Pmrsts pmrsts,
        Pmrebs pmrebs,
        Pmrswtp pmrswtp,
        Pmrmsc pmrmsc) {
    private static final int FIRST_MINOR_WITH_CMB = 2;

    /** Reads the registers that the controller has. */
    static CmbInfo read(Registers r, Cap cap, Vs vs) {
        boolean cmb = vs.isAtLeast(1, FIRST_MINOR_WITH_CMB);
        boolean cmbs = cap.cmbs();
        boolean pmrs = cap.pmrs();
        return new CmbInfo(
                cap,
                vs,
                new Cmbloc(cmb ? r.load32(Reg.CMBLOC) : 0),
                new Cmbsz(cmb ? r.load32(Reg.CMBSZ) : 0),
                new Cmbmsc(cmbs ? r.load64LowFirst(Reg.CMBMSC) : 0),
                new Cmbsts(cmbs ? r.load32(Reg.CMBSTS) : 0),
                new Cmbebs(cmbs ? r.load32(Reg.CMBEBS) : 0),
                new Cmbswtp(cmbs ? r.load32(Reg.CMBSWTP) : 0),
                new Pmrcap(pmrs ? r.load32(Reg.PMRCAP) : 0),
                new Pmrctl(pmrs ? r.load32(Reg.PMRCTL) : 0),
                new Pmrsts(pmrs ? r.load32(Reg.PMRSTS) : 0),
                new Pmrebs(pmrs ? r.load32(Reg.PMREBS) : 0),
                new Pmrswtp(pmrs ? r.load32(Reg.PMRSWTP) : 0),
                pmrs ? Pmrmsc.of(r.load32(Reg.PMRMSCL), r.load32(Reg.PMRMSCU)) : new Pmrmsc(0));
    }

    /** Returns the offset of the CMB in its BAR, in bytes. */
    long offsetBytes() {
        return cmbloc.offsetBytes(cmbsz);
    }

    /** Returns the length in bytes that the controller declares. The BAR may be shorter. */
    long sizeBytes() {
        return cmbsz.sizeBytes();
    }
}
