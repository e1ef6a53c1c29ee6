package dev.peerlane.copy.engine;

/** What becomes of a slot whose data has arrived. */
enum SecondStage {
    /** The second port writes it to its medium. */
    WRITE,
    /** The second port compares it with its medium. */
    COMPARE,
    /** The second port reads its own blocks beside it, and both are compared in host memory. */
    MATCH
}
