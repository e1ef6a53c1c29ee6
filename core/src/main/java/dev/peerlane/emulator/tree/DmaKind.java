package dev.peerlane.emulator.tree;

/** What the bytes of a DMA are for, which decides how they are counted. */
public enum DmaKind {
    /** Data of an I/O command. */
    IO_DATA,
    /** Data of an admin command. */
    ADMIN_DATA,
    /** A submission or completion queue entry, a shadow doorbell, or an MSI-X message. */
    QUEUE_ENTRY,
    /** A PRP list or an SGL segment. */
    PRP_LIST
}
