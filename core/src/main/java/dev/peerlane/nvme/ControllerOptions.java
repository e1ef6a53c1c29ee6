package dev.peerlane.nvme;

import dev.peerlane.Bits;

/**
 * Bounds and sizes that the driver uses for one controller. Start from {@link #DEFAULTS}.
 *
 * @param adminEntries entries of the admin queues, 2 to 4096, rounded down to a power of two
 * @param ioQueuePairs number of I/O queue pairs to ask for, 1 to 65,535; the controller may grant
 *     fewer
 * @param maxTransferBytes upper limit for the data of one command, if the controller's own limit is
 *     larger or absent; 4 KiB to 2 MiB, a multiple of 4 KiB
 * @param sgls whether to describe data of more than two pages by an SGL if the controller supports
 *     SGLs, instead of by a PRP list
 * @param shadowDoorbells whether to use shadow doorbells for I/O queues if the controller supports
 *     them, so that a register is written only when the controller asks for it
 * @param asyncEvents number of Asynchronous Event Requests that the controller holds; 0 for none
 * @param adminTimeoutNanos longest wait for one admin command
 * @param ioTimeoutNanos longest wait for one synchronous I/O command
 * @param abortTimeoutNanos longest wait for the answer to an Abort
 * @param shutdownTimeoutNanos longest wait for an orderly shutdown
 * @param readyGraceNanos additional wait for CSTS.RDY, beyond the time that the controller declares
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

    /**
     * The defaults: 32 admin entries, 8 queue pairs, 1 MiB per command, one event request, timeouts
     * of seconds.
     */
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

    /** Returns a copy with this number of I/O queue pairs. */
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

    /** Returns a copy with this upper limit for the data of one command, in bytes. */
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

    /** Returns a copy that uses SGLs or not. */
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

    /** Returns a copy that uses shadow doorbells or not. */
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

    /** Returns a copy with this number of Asynchronous Event Requests. */
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

    /** Returns a copy with this timeout for admin commands, I/O, Abort and shutdown. */
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
