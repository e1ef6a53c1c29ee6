package dev.peerlane.pci;

/** What becomes of peer traffic in one direction over one route. */
public enum Verdict {
    /** The initiator owns the memory: nothing crosses the bus. */
    OWN("inside the device", true),
    /** Straight across a switch. */
    DIRECT("direct over a switch", true),
    /** Through the root complex, which is known to forward it. */
    ROOT_TRUSTED("through the root complex, trusted", true),
    /** Through the root complex, of which nothing is known. */
    ROOT_UNTRUSTED("through the root complex, untrusted", false),
    /** A switch redirects it to a root complex that is not known to send it back. */
    REDIRECTED("redirected by ACS", false),
    /** It may be redirected: only root may read what would tell. */
    UNKNOWN("unknown: run as root", false),
    /** It does not get there. */
    REFUSED("refused", false);

    private final String words;
    private final boolean allowed;

    Verdict(String words, boolean allowed) {
        this.words = words;
        this.allowed = allowed;
    }

    /** Returns it in words. */
    public String words() {
        return words;
    }

    /** Returns whether a plan may rely on it without being told to. */
    public boolean allowed() {
        return allowed;
    }
}
