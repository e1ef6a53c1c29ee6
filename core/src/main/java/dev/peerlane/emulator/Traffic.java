package dev.peerlane.emulator;

import dev.peerlane.hal.TrafficCounters;

/** What one function moved; counted where the bytes move. */
final class Traffic {
    long hostDataRead;
    long hostDataWritten;
    long hostAdminRead;
    long hostAdminWritten;
    long hostQueue;
    long hostPrpLists;
    long peerRead;
    long peerWritten;
    long ownMemory;
    long faulted;

    void host(DmaKind kind, boolean read, long bytes) {
        switch (kind) {
            case IO_DATA -> {
                if (read) {
                    hostDataRead += bytes;
                } else {
                    hostDataWritten += bytes;
                }
            }
            case ADMIN_DATA -> {
                if (read) {
                    hostAdminRead += bytes;
                } else {
                    hostAdminWritten += bytes;
                }
            }
            case QUEUE_ENTRY -> hostQueue += bytes;
            case PRP_LIST -> hostPrpLists += bytes;
        }
    }

    void add(Traffic other) {
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

    TrafficCounters.Traffic snapshot() {
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
