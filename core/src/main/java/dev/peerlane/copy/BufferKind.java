package dev.peerlane.copy;

/** Whose memory carries the data of a copy. */
public enum BufferKind {
    /** The CMB of the target's controller: only posted writes cross the fabric. */
    TARGET_CMB("target-cmb"),
    /** The CMB of the source's controller: the target reads across the fabric. */
    SOURCE_CMB("source-cmb"),
    /** The CMB of a third controller: a peer write and a peer read. */
    THIRD_PARTY_CMB("third-party-cmb"),
    /** Host memory: not peer to peer. */
    HOST("host");

    private final String label;

    BufferKind(String label) {
        this.label = label;
    }

    /** Returns its name in plans and receipts. */
    public String label() {
        return label;
    }
}
