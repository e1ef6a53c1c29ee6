package dev.peerlane.pci;

/** The verdict on peer traffic in one direction over one route. */
public enum Verdict {
    /** The initiator owns the memory: the traffic crosses no bus. */
    OWN("inside the device", true),
    /** The traffic goes straight across a switch. */
    DIRECT("direct over a switch", true),
    /** The traffic goes through a root complex that is known to forward it. */
    ROOT_TRUSTED("through the root complex, trusted", true),
    /** The traffic goes through a root complex of which nothing is known. */
    ROOT_UNTRUSTED("through the root complex, untrusted", false),
    /** A switch redirects the traffic to a root complex that is not known to send it back. */
    REDIRECTED("redirected by ACS", false),
    /** The traffic may be redirected: only root may read the registers that would tell. */
    UNKNOWN("unknown: run as root", false),
    /** The traffic does not arrive. */
    REFUSED("refused", false);

    private final String words;
    private final boolean allowed;

    Verdict(String words, boolean allowed) {
        this.words = words;
        this.allowed = allowed;
    }

    /** Returns the verdict as text for a person. */
    public String words() {
        return words;
    }

    /** Returns whether a plan may rely on this route by default. */
    public boolean allowed() {
        return allowed;
    }
}
