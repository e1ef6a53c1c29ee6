package dev.peerlane.sim;

/** The phases of a copy, as seen at its ports. */
enum Phase {
    /** Controllers come up, CMBs are mapped, queues and memory are allocated. */
    ATTACH,
    /** The source has a Read, and the target has no Write yet. */
    FILL,
    /** Both Reads and Writes are in progress. */
    STEADY,
    /** The source has Read every block; Writes and the Flush go on. */
    DRAIN,
    /** Everything is written and flushed; the verification runs. */
    VERIFY,
    /** The copy is over, with any result: queues are deleted, controllers shut down. */
    CLOSE
}
