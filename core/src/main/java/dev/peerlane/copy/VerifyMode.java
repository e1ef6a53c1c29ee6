package dev.peerlane.copy;

/** The user's choice of how to verify a copy. */
public enum VerifyMode {
    /**
     * Verifies without host memory if that is sound, otherwise through host memory, and announces
     * that.
     */
    AUTO,
    /** Verifies without host memory, or refuses the copy. */
    PEER,
    /** Reads both sides into host memory and compares them there. */
    HOST,
    /** Does not verify. */
    NONE
}
