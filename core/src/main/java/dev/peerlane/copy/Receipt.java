package dev.peerlane.copy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The record of what a copy did. Its components have the names of the JSON document.
 *
 * @param schema the name of this form of document
 * @param result {@code ok}, {@code failed} or {@code refused}
 * @param source the side that was read
 * @param target the side that was written
 * @param buffer the memory that carried the data; null if the copy was refused before it was chosen
 * @param route the legs of the data
 * @param fence the fence between Read and Write
 * @param chunkBytes bytes of one slot
 * @param slots number of slots
 * @param tuning how slot length and number were found
 * @param bytesCopied bytes that the target has confirmed
 * @param copied the blocks of the target that were written; a bounded number of ranges
 * @param hostDataBytes data bytes that crossed host memory; null if the fabric does not count them
 * @param verify how the copy was verified, and the outcome
 * @param seconds duration of the copy and its flush, without the verification
 * @param bytesPerSecond {@code bytesCopied} per second of that duration
 * @param cpuSeconds processor time used in that duration
 * @param notes what the user must know, above all a fallback to host memory
 * @param error the error that ended the copy, or null
 */
public record Receipt(
        String schema,
        String result,
        Side source,
        Side target,
        @Nullable Buffer buffer,
        List<Leg> route,
        String fence,
        int chunkBytes,
        int slots,
        Tuning tuning,
        long bytesCopied,
        List<Range> copied,
        @Nullable Long hostDataBytes,
        Verification verify,
        double seconds,
        double bytesPerSecond,
        double cpuSeconds,
        List<String> notes,
        @Nullable Failure error) {
    /** The name of this form of document. */
    public static final String SCHEMA = "peerlane.receipt/1";

    /** Copies the lists. */
    public Receipt {
        route = List.copyOf(route);
        copied = List.copyOf(copied);
        notes = List.copyOf(notes);
    }

    /**
     * One side of the copy.
     *
     * @param locator the device
     * @param serial its serial number
     * @param model its model number
     * @param nsid the namespace
     * @param slba the first block
     * @param blocks number of blocks
     * @param blockBytes bytes of one block
     */
    public record Side(
            String locator,
            String serial,
            String model,
            int nsid,
            long slba,
            long blocks,
            int blockBytes) {}

    /**
     * The memory that carried the data.
     *
     * @param kind target-cmb, source-cmb, third-party-cmb or host
     * @param device the owner, or null for host memory
     * @param address its bus address, in hexadecimal
     * @param bytes how much of it was used
     */
    public record Buffer(String kind, @Nullable String device, String address, long bytes) {}

    /**
     * How length and number of the slots were found.
     *
     * @param readDepth maximum number of Reads in flight
     * @param seconds duration of the tries by the fabric's clock; the tries are part of the copy
     * @param steadyBytesPerSecond the rate after the tries, or after the start of a copy without
     *     tries; the difference to the rate of the whole copy is the cost of tries, cold code and
     *     latencies
     * @param tries the tries, in order; empty if the user gave both values or the copy was short
     */
    public record Tuning(
            int readDepth, double seconds, double steadyBytesPerSecond, List<Tried> tries) {
        /** Copies the list. */
        public Tuning {
            tries = List.copyOf(tries);
        }
    }

    /**
     * One try of the tuner.
     *
     * @param chunkBytes bytes of one slot
     * @param slots number of slots
     * @param readDepth maximum number of Reads in flight
     * @param bytesPerSecond the rate of this try
     */
    public record Tried(int chunkBytes, int slots, int readDepth, double bytesPerSecond) {}

    /**
     * A range of the target's blocks.
     *
     * @param slba the first block
     * @param blocks number of blocks
     */
    public record Range(long slba, long blocks) {}

    /**
     * The verification.
     *
     * @param method target-compare, source-compare, controlled-compare, host or none
     * @param result {@code ok}, {@code failed}, {@code stopped} on request, or {@code not run}
     * @param granularity the differences that this method can find, in words
     * @param controls number of control Compares, in which a difference was planted and found; each
     *     adds an entry to the error log of the side that Compares; 0 if nothing is Compared
     * @param seconds duration of the verification
     */
    public record Verification(
            String method, String result, String granularity, int controls, double seconds) {}

    /**
     * The error that ended the copy.
     *
     * @param code its stable name
     * @param message the object and the value that are wrong
     * @param remedy what to do
     * @param firstBadLba the block at which the error happened, or null
     * @param sourceCondition the condition of the source after the error, in words that follow
     *     "it"; null if no device was in use
     * @param targetCondition the condition of the target, likewise
     */
    public record Failure(
            String code,
            String message,
            String remedy,
            @Nullable Long firstBadLba,
            @Nullable String sourceCondition,
            @Nullable String targetCondition) {}
}
