package dev.peerlane.copy;

/** How a plan verifies a copy. */
public enum VerifyMethod {
    /**
     * The source Reads into poisoned slots of the target's CMB, and the target Compares them with
     * its medium. Needs only peer writes, and finds a lost one.
     */
    TARGET_COMPARE("target-compare"),
    /**
     * The target Reads into poisoned slots of the source's CMB, and the source Compares them with
     * its medium.
     */
    SOURCE_COMPARE("source-compare"),
    /**
     * The source Reads into a third party's CMB, and the target Compares from there. Because this
     * trusts peer reads, control Compares with random data must fail before and after it.
     */
    CONTROLLED_COMPARE("controlled-compare"),
    /** Both sides are read into host memory and compared there. */
    HOST("host"),
    /** The copy is not verified. */
    NONE("none");

    private final String label;

    VerifyMethod(String label) {
        this.label = label;
    }

    /** Returns the name that receipts use. */
    public String label() {
        return label;
    }
}
