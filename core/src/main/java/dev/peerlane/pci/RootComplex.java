package dev.peerlane.pci;

/**
 * What is known of peer traffic through a machine's root complex, per direction.
 *
 * @param peerWrites whether it forwards a peer's writes
 * @param peerReads whether it forwards a peer's reads
 * @param source where that knowledge is from, for a person
 */
public record RootComplex(Trust peerWrites, Trust peerReads, String source) {
    /** How sure one can be. */
    public enum Trust {
        /** Known to forward it. */
        TRUSTED,
        /** Not known: it may fail or crawl. */
        UNKNOWN,
        /** Known not to forward it. */
        REFUSED
    }
}
