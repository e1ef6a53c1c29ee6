package dev.peerlane.copy.engine;

/** The states of a slot. */
enum SlotState {
    /** It holds nothing. */
    FREE,
    /** It waits for a place in the reader's queue. */
    TO_READ,
    /** The reader's command is in flight. */
    READING,
    /** Its Read has completed, and the fence holds it back. */
    FENCED,
    /** Its data has arrived; it waits for a place in the second port's queue. */
    READY,
    /** The second port's command is in flight. */
    SECOND,
    /** Its command was given up and may still access it until the queue is deleted. */
    QUARANTINED
}
