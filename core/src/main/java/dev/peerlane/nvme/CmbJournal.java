package dev.peerlane.nvme;

/**
 * Records which bytes of a controller memory buffer may hold data, so that they can be overwritten
 * even if this process is killed. Offsets count from the first byte of the buffer.
 */
interface CmbJournal {
    /** A piece is about to be handed out. What this throws keeps it from being handed out. */
    void taken(long offset, long sizeBytes);

    /** A piece was overwritten, or its user wants its content to stay. */
    void cleared(long offset, long sizeBytes);
}
