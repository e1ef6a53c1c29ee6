package dev.peerlane.copy;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a copy did: the names of its components are those of the JSON document.
 *
 * @param schema names this form of document
 * @param result {@code ok}, {@code failed} or {@code refused}
 * @param source where from
 * @param target where to
 * @param buffer what carried the data; null if it was refused before that was chosen
 * @param route the way of the data
 * @param fence what stood between Read and Write
 * @param chunkBytes length of a slot
 * @param slots how many slots
 * @param tuning how both were found
 * @param bytesCopied bytes that the target has confirmed
 * @param copied which blocks of the target those are; more than a bounded number of ranges is cut
 * @param hostDataBytes data bytes that crossed host memory, where the fabric counts; else null
 * @param verify how it was checked, and the outcome
 * @param seconds time of the copy and its flush, without the verification
 * @param bytesPerSecond the rate of that
 * @param cpuSeconds processor time of that
 * @param notes what the user must know: a fallback above all
 * @param error what went wrong, or null
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

    /** Keeps its own copies of the lists. */
    public Receipt {
        route = List.copyOf(route);
        copied = List.copyOf(copied);
        notes = List.copyOf(notes);
    }

    /**
     * One side.
     *
     * @param locator the device
     * @param serial its serial number
     * @param model its model number
     * @param nsid the namespace
     * @param slba first block
     * @param blocks how many
     * @param blockBytes their length
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
     * @param device who owns it, or null for host memory
     * @param address its address on the bus, in hexadecimal
     * @param bytes how much of it was used
     */
    public record Buffer(String kind, @Nullable String device, String address, long bytes) {}

    /**
     * How length and number of the slots were found.
     *
     * @param readDepth Reads in flight at most
     * @param seconds how long it was tried, by the fabric's clock; the tries are part of the copy
     * @param steadyBytesPerSecond the rate after the tries, or of a copy without tries after its
     *     start; what the whole copy lacks of it was lost to tries, cold code and latencies
     * @param tries what was tried, in turn; none where the user gave both, or the copy was short
     */
    public record Tuning(
            int readDepth, double seconds, double steadyBytesPerSecond, List<Tried> tries) {
        /** Keeps its own copy of the list. */
        public Tuning {
            tries = List.copyOf(tries);
        }
    }

    /**
     * A try.
     *
     * @param chunkBytes length of a slot
     * @param slots how many
     * @param readDepth Reads in flight at most
     * @param bytesPerSecond the rate that this had
     */
    public record Tried(int chunkBytes, int slots, int readDepth, double bytesPerSecond) {}

    /**
     * A range of the target's blocks.
     *
     * @param slba first block
     * @param blocks how many
     */
    public record Range(long slba, long blocks) {}

    /**
     * The check.
     *
     * @param method target-compare, source-compare, controlled-compare, host or none
     * @param result {@code ok}, {@code failed}, {@code stopped} on request, or {@code not run}
     * @param granularity what it can see, in words
     * @param controls how many Compares with a difference in them were made, all of which were
     *     answered with Compare Failure: that many entries has the error log of the side that
     *     Compares; 0 where nothing is Compared
     * @param seconds how long it took
     */
    public record Verification(
            String method, String result, String granularity, int controls, double seconds) {}

    /**
     * The error.
     *
     * @param code its stable name
     * @param message object and value
     * @param remedy what to do
     * @param firstBadLba the block at which it happened, or null
     * @param sourceCondition in what condition the source was then, in words after "it"; null where
     *     no device was in use
     * @param targetCondition in what condition the target was
     */
    public record Failure(
            String code,
            String message,
            String remedy,
            @Nullable Long firstBadLba,
            @Nullable String sourceCondition,
            @Nullable String targetCondition) {}
}
