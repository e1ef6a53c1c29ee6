package dev.peerlane.emulator.tree;

import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Direction;

/** Counts of the bytes that one function moved, taken where the bytes move. */
public final class DmaCounts {
    private long hostDataRead;
    private long hostDataWritten;
    private long hostAdminRead;
    private long hostAdminWritten;
    private long hostQueue;
    private long hostPrpLists;
    private long peerRead;
    private long peerWritten;
    private long ownMemory;
    private long faulted;

    /** Counts a move between the function and host memory. */
    public void host(DmaKind kind, Direction direction, long bytes) {
        switch (kind) {
            case IO_DATA -> {
                if (direction == Direction.READ) {
                    hostDataRead += bytes;
                } else {
                    hostDataWritten += bytes;
                }
            }
            case ADMIN_DATA -> {
                if (direction == Direction.READ) {
                    hostAdminRead += bytes;
                } else {
                    hostAdminWritten += bytes;
                }
            }
            case QUEUE_ENTRY -> hostQueue += bytes;
            case PRP_LIST -> hostPrpLists += bytes;
        }
    }

    /** Counts a move between the function and another function's memory. */
    public void peer(Direction direction, long bytes) {
        if (direction == Direction.READ) {
            peerRead += bytes;
        } else {
            peerWritten += bytes;
        }
    }

    /** Counts a move inside the function. */
    public void own(long bytes) {
        ownMemory += bytes;
    }

    /** Counts DMA that did not get through. */
    public void fault(long bytes) {
        faulted += bytes;
    }

    /** Adds the counts of another function. */
    public void add(DmaCounts other) {
        hostDataRead += other.hostDataRead;
        hostDataWritten += other.hostDataWritten;
        hostAdminRead += other.hostAdminRead;
        hostAdminWritten += other.hostAdminWritten;
        hostQueue += other.hostQueue;
        hostPrpLists += other.hostPrpLists;
        peerRead += other.peerRead;
        peerWritten += other.peerWritten;
        ownMemory += other.ownMemory;
        faulted += other.faulted;
    }

    /** Returns a snapshot of the counts. */
    public TrafficCounters.Traffic snapshot() {
        return new TrafficCounters.Traffic(
                hostDataRead,
                hostDataWritten,
                hostAdminRead,
                hostAdminWritten,
                hostQueue,
                hostPrpLists,
                peerRead,
                peerWritten,
                ownMemory,
                faulted);
    }
}
