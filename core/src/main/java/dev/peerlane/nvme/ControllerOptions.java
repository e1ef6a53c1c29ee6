package dev.peerlane.nvme;

import dev.peerlane.Bits;

/**
 * Bounds and sizes of one controller's driver. Start from {@link #DEFAULTS}.
 *
 * @param adminEntries entries of the admin queues, 2 to 4096; the power of two below is taken
 * @param ioQueuePairs how many I/O queue pairs to ask for, 1 to 65,535; the controller may grant
 *     fewer
 * @param maxTransferBytes bound on one command's data where the controller has a larger one or
 *     none; 4 KiB to 2 MiB, a multiple of 4 KiB
 * @param sgls whether to describe data of more than two pages by an SGL, where the controller takes
 *     SGLs; else by a PRP list
 * @param shadowDoorbells whether to tell the controller of I/O commands in memory, where it takes
 *     that, and write a register only when it asks for one
 * @param asyncEvents how many Asynchronous Event Requests to keep with the controller; 0 for none
 * @param adminTimeoutNanos longest wait for one admin command
 * @param ioTimeoutNanos longest wait for one synchronous I/O command
 * @param abortTimeoutNanos longest wait for the answer to an Abort
 * @param shutdownTimeoutNanos longest wait for an orderly shutdown
 * @param readyGraceNanos what to wait for CSTS.RDY beyond the time that the controller declares
 */
public record ControllerOptions(
        int adminEntries,
        int ioQueuePairs,
        int maxTransferBytes,
        boolean sgls,
        boolean shadowDoorbells,
        int asyncEvents,
        long adminTimeoutNanos,
        long ioTimeoutNanos,
        long abortTimeoutNanos,
        long shutdownTimeoutNanos,
        long readyGraceNanos) {
    private static final long SECOND = 1_000_000_000L;
    private static final int PAGE = Bits.PAGE_BYTES;
    private static final int MAX_TRANSFER = 2 << 20;
    private static final int MAX_QUEUE_PAIRS = 65_535;
    private static final int MAX_ADMIN_ENTRIES = 4096;

    /** 32 admin entries, 8 queue pairs, 1 MiB a command, one event request, seconds to wait. */
    public static final ControllerOptions DEFAULTS =
            new ControllerOptions(
                    32,
                    8,
                    1 << 20,
                    true,
                    true,
                    1,
                    15 * SECOND,
                    30 * SECOND,
                    2 * SECOND,
                    10 * SECOND,
                    SECOND);

    /** Checks the ranges. */
    public ControllerOptions {
        require(adminEntries >= 2 && adminEntries <= MAX_ADMIN_ENTRIES, "adminEntries");
        require(ioQueuePairs >= 1 && ioQueuePairs <= MAX_QUEUE_PAIRS, "ioQueuePairs");
        require(
                maxTransferBytes >= PAGE
                        && maxTransferBytes <= MAX_TRANSFER
                        && maxTransferBytes % PAGE == 0,
                "maxTransferBytes");
        require(asyncEvents >= 0 && asyncEvents <= adminEntries - 2, "asyncEvents");
        require(
                (adminTimeoutNanos
                                | ioTimeoutNanos
                                | abortTimeoutNanos
                                | shutdownTimeoutNanos
                                | readyGraceNanos)
                        >= 0,
                "a timeout");
    }

    private static void require(boolean holds, String name) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is out of range");
        }
    }

    /** Returns these options with another number of queue pairs. */
    public ControllerOptions withIoQueuePairs(int pairs) {
        return new ControllerOptions(
                adminEntries,
                pairs,
                maxTransferBytes,
                sgls,
                shadowDoorbells,
                asyncEvents,
                adminTimeoutNanos,
                ioTimeoutNanos,
                abortTimeoutNanos,
                shutdownTimeoutNanos,
                readyGraceNanos);
    }

    /** Returns these options with another bound on one command's data. */
    public ControllerOptions withMaxTransferBytes(int bytes) {
        return new ControllerOptions(
                adminEntries,
                ioQueuePairs,
                bytes,
                sgls,
                shadowDoorbells,
                asyncEvents,
                adminTimeoutNanos,
                ioTimeoutNanos,
                abortTimeoutNanos,
                shutdownTimeoutNanos,
                readyGraceNanos);
    }

    /** Returns these options with SGLs or without. */
    public ControllerOptions withSgls(boolean use) {
        return new ControllerOptions(
                adminEntries,
                ioQueuePairs,
                maxTransferBytes,
                use,
                shadowDoorbells,
                asyncEvents,
                adminTimeoutNanos,
                ioTimeoutNanos,
                abortTimeoutNanos,
                shutdownTimeoutNanos,
                readyGraceNanos);
    }

    /** Returns these options with shadow doorbells or without. */
    public ControllerOptions withShadowDoorbells(boolean use) {
        return new ControllerOptions(
                adminEntries,
                ioQueuePairs,
                maxTransferBytes,
                sgls,
                use,
                asyncEvents,
                adminTimeoutNanos,
                ioTimeoutNanos,
                abortTimeoutNanos,
                shutdownTimeoutNanos,
                readyGraceNanos);
    }

    /** Returns these options with another number of event requests. */
    public ControllerOptions withAsyncEvents(int count) {
        return new ControllerOptions(
                adminEntries,
                ioQueuePairs,
                maxTransferBytes,
                sgls,
                shadowDoorbells,
                count,
                adminTimeoutNanos,
                ioTimeoutNanos,
                abortTimeoutNanos,
                shutdownTimeoutNanos,
                readyGraceNanos);
    }

    /** Returns these options with one bound for admin commands, I/O, Abort and shutdown. */
    public ControllerOptions withTimeoutNanos(long nanos) {
        return new ControllerOptions(
                adminEntries,
                ioQueuePairs,
                maxTransferBytes,
                sgls,
                shadowDoorbells,
                asyncEvents,
                nanos,
                nanos,
                nanos,
                nanos,
                readyGraceNanos);
    }
}
