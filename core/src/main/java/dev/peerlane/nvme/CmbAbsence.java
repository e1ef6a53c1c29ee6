package dev.peerlane.nvme;

/**
 * Why a controller has no controller memory buffer that can be used.
 *
 * @param reason what is the matter
 * @param text the same for a person, with the values that were read
 */
record CmbAbsence(Reason reason, String text) {
    /** The kinds of reasons. */
    enum Reason {
        /** The version is older than 1.2, or neither CAP.CMBS nor CMBSZ tell of one. */
        NO_CMB,
        /** CAP.CMBS is set, but CMBSZ.SZ is 0 even after CMBMSC.CRE was set. */
        SIZE_ZERO,
        /** CMBSZ.SZU is reserved. */
        UNIT_RESERVED,
        /** CMBLOC.BIR is 1, 6 or 7. */
        BIR_RESERVED,
        /** The function has no memory BAR with that index. */
        NO_SUCH_BAR,
        /** CMBLOC.OFST lies at or after the end of the BAR. */
        OUTSIDE_BAR,
        /** CMBLOC places it over the registers or doorbells in BAR 0. */
        OVER_REGISTERS
    }
}
