package dev.peerlane.copy.engine;

/**
 * Observes the hand-offs of slots to a Compare, and decides what a difference means. Without an
 * observer the first difference stops the pipeline.
 */
public interface HandOffs {
    /** Called before a chunk is Read into a slot. */
    void reading(int slot, long chunk);

    /** Called when the slot equals the medium. */
    void equal(int slot);

    /**
     * Called when the slot differs from the medium.
     *
     * @return whether to Compare the slot once more
     */
    boolean differs(int slot);
}
