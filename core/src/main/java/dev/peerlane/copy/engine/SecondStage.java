package dev.peerlane.copy.engine;

/** What the second port does with a slot whose data has arrived. */
enum SecondStage {
    /** Writes it to its medium. */
    WRITE,
    /** Compares it with its medium. */
    COMPARE,
    /** Reads its own blocks into host memory beside the slot, where both are compared. */
    MATCH
}
