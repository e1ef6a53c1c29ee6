package dev.peerlane.copy;

/** The kinds of memory that can carry the data of a copy. */
public enum BufferKind {
    /** The CMB of the target's controller. Only posted writes cross the fabric. */
    TARGET_CMB("target-cmb"),
    /** The CMB of the source's controller. The target reads across the fabric. */
    SOURCE_CMB("source-cmb"),
    /**
     * The CMB of a third controller. The data crosses the fabric in a peer write and a peer read.
     */
    THIRD_PARTY_CMB("third-party-cmb"),
    /** Host memory. The copy is not peer to peer. */
    HOST("host");

    private final String label;

    BufferKind(String label) {
        this.label = label;
    }

    /** Returns the name that plans and receipts use. */
    public String label() {
        return label;
    }
}
