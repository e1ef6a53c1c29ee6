package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * The memory that carries the data of the copy in question.
 *
 * @param kind whose memory
 * @param third the third device, or null for any
 */
public record Buffer(Kind kind, @Nullable Bdf third) {
    /** The best memory that works. */
    public static final Buffer AUTO = new Buffer(Kind.AUTO, null);

    /** The target's CMB. */
    public static final Buffer TARGET = new Buffer(Kind.TARGET, null);

    /** The source's CMB. */
    public static final Buffer SOURCE = new Buffer(Kind.SOURCE, null);

    /** The owner of the memory. */
    public enum Kind {
        /** The best memory that works. */
        AUTO,
        /** The target's CMB. */
        TARGET,
        /** The source's CMB. */
        SOURCE,
        /** A third device's CMB. */
        THIRD
    }

    /** Returns the CMB of a third device. */
    public static Buffer third(Bdf owner) {
        return new Buffer(Kind.THIRD, owner);
    }
}
