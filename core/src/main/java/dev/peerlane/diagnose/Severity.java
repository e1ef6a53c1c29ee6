package dev.peerlane.diagnose;

/** What a finding does to the answer. */
public enum Severity {
    /** Keeps peer-to-peer from working: the machine or a device can't. */
    CANNOT,
    /** Keeps peer-to-peer from being used: it would be unsafe or its route is not permitted. */
    REFUSED,
    /** It works, but look at this. */
    WARNING,
    /** Good to know. */
    NOTE;

    /** Returns whether the answer is no-go. */
    public boolean blocks() {
        return this == CANNOT || this == REFUSED;
    }
}
