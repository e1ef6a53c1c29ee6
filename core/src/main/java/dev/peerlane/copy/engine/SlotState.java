package dev.peerlane.copy.engine;

/** Where a slot is in its round. */
enum SlotState {
    /** It holds nothing. */
    FREE,
    /** It waits for a place in the reader's queue. */
    TO_READ,
    /** The reader's command is in flight. */
    READING,
    /** Its Read has completed; the fence has it. */
    FENCED,
    /** Its data is there; it waits for a place in the second port's queue. */
    READY,
    /** The second port's command is in flight. */
    SECOND,
    /** Its command was given up; it may still be touched until the queue is deleted. */
    QUARANTINED
}
