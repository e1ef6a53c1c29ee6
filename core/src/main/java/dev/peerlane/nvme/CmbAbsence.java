package dev.peerlane.nvme;

/**
 * The reason why a controller has no usable controller memory buffer.
 *
 * @param reason the kind of reason
 * @param text the reason as text for a person, with the values that were read
 */
record CmbAbsence(Reason reason, String text) {
    /** The kinds of reasons. */
    enum Reason {
        /** The version is older than 1.2, or neither CAP.CMBS nor CMBSZ indicates a CMB. */
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
