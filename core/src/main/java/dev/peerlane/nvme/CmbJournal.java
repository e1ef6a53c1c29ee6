package dev.peerlane.nvme;

/**
 * Records which bytes of a controller memory buffer may hold data, so that they can be overwritten
 * later even if this process is killed. Offsets are relative to the first byte of the CMB.
 */
interface CmbJournal {
    /** Called before a piece is handed out. If this method throws, the piece is not handed out. */
    void taken(long offset, long sizeBytes);

    /** Called after a piece was overwritten, or when its content is meant to stay. */
    void cleared(long offset, long sizeBytes);
}
