package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * Which memory is to carry the data of a copy that is asked about.
 *
 * @param kind whose
 * @param third the third party, or null for any
 */
public record Buffer(Kind kind, @Nullable Bdf third) {
    /** The best that works. */
    public static final Buffer AUTO = new Buffer(Kind.AUTO, null);

    /** The target's CMB. */
    public static final Buffer TARGET = new Buffer(Kind.TARGET, null);

    /** The source's CMB. */
    public static final Buffer SOURCE = new Buffer(Kind.SOURCE, null);

    /** Whose memory. */
    public enum Kind {
        /** The best that works. */
        AUTO,
        /** The target's. */
        TARGET,
        /** The source's. */
        SOURCE,
        /** A third party's. */
        THIRD
    }

    /** Returns the CMB of a third device. */
    public static Buffer third(Bdf owner) {
        return new Buffer(Kind.THIRD, owner);
    }
}
