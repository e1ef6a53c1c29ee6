package dev.peerlane.sim;

/** How far a copy is, as its ports see it from outside. */
enum Phase {
    /** Controllers come up, CMBs are mapped, queues and memory are made. */
    ATTACH,
    /** The source was given a Read, the target no Write yet. */
    FILL,
    /** Reads and Writes. */
    STEADY,
    /** Every block was asked of the source; Writes and the Flush go on. */
    DRAIN,
    /** Everything is written and flushed: what comes now is the verification. */
    VERIFY,
    /** The copy is over, whatever came of it: queues are deleted, controllers shut down. */
    CLOSE
}
