package dev.peerlane.copy.engine;

/**
 * Sees the hand-offs of slots to a Compare, and says what a difference means. Without one, the
 * first difference ends what runs.
 */
public interface HandOffs {
    /** A slot is about to be Read into for a chunk. */
    void reading(int slot, long chunk);

    /** The slot was what the medium holds. */
    void equal(int slot);

    /**
     * The slot was not what the medium holds.
     *
     * @return whether to Compare it once more
     */
    boolean differs(int slot);
}
