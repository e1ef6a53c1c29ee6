package dev.peerlane.diagnose;

/** A finding's effect on the answer. */
public enum Severity {
    /** Peer-to-peer can't work: the machine or a device doesn't support it. */
    CANNOT,
    /** Peer-to-peer is refused: it would be unsafe, or its route is not permitted. */
    REFUSED,
    /** Peer-to-peer works, but this deserves attention. */
    WARNING,
    /** Information only. */
    NOTE;

    /** Returns whether a finding of this severity makes the answer no-go. */
    public boolean blocks() {
        return this == CANNOT || this == REFUSED;
    }
}
