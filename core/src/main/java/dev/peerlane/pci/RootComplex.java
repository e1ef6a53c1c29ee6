package dev.peerlane.pci;

/**
 * What is known of peer traffic through a machine's root complex, for each direction.
 *
 * @param peerWrites whether the root complex forwards peer writes
 * @param peerReads whether the root complex forwards peer reads
 * @param source where that knowledge comes from, as text for a person
 */
public record RootComplex(Trust peerWrites, Trust peerReads, String source) {
    /** How certain the knowledge is. */
    public enum Trust {
        /** Known to be forwarded. */
        TRUSTED,
        /** Not known: the traffic may fail or be very slow. */
        UNKNOWN,
        /** Known not to be forwarded. */
        REFUSED
    }
}
