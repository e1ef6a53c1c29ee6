package dev.peerlane.copy;

/** How a copy is checked, as planned. */
public enum VerifyMethod {
    /**
     * The source Reads into poisoned slots of the target's CMB, the target Compares them with its
     * medium: only peer writes are needed, and a lost one shows.
     */
    TARGET_COMPARE("target-compare"),
    /** The target Reads into poisoned slots of the source's CMB, the source Compares. */
    SOURCE_COMPARE("source-compare"),
    /**
     * The source Reads into a third party's CMB and the target Compares from there; as that trusts
     * peer reads, control Compares against random data must fail before and after.
     */
    CONTROLLED_COMPARE("controlled-compare"),
    /** Both sides are read into host memory and compared there. */
    HOST("host"),
    /** Not checked. */
    NONE("none");

    private final String label;

    VerifyMethod(String label) {
        this.label = label;
    }

    /** Returns the name used in receipts. */
    public String label() {
        return label;
    }
}
