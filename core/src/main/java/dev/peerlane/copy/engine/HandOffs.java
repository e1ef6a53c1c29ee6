package dev.peerlane.copy.engine;

/**
 * Watches the hand-offs of a {@link Pipeline} that Compares, instead of letting the first
 * difference end it.
 */
abstract class HandOffs {
    /** A slot is about to be Read into for a chunk. */
    abstract void reading(int slot, long chunk);

    /** The slot was what the medium holds. */
    abstract void equal(int slot);

    /**
     * The slot was not what the medium holds.
     *
     * @return whether to Compare it once more
     */
    abstract boolean differs(int slot);
}
