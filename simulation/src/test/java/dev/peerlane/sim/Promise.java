package dev.peerlane.sim;

import dev.peerlane.copy.FenceChoice;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.Fault.Kind;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * What a copy promises despite faults. Most faults are reported to the host, or only delay
 * something. After them, every block that is reported as copied equals the source's. The faults
 * below report success although data is damaged. A verification finds the damage; without one, a
 * bounded number of bytes may be wrong.
 */
final class Promise {
    private static final int PIECE = 4096;

    private Promise() {}

    /**
     * Returns how many bytes may be wrong in what is reported as copied and was not verified.
     *
     * @param happened the faults, one entry for each time
     * @param fence the planned fence of the copy
     * @param chunkBytes the most bytes that one command moves
     */
    static long wrongBytes(Collection<Fault> happened, String fence, int chunkBytes) {
        long bytes = 0;
        for (Fault fault : happened) {
            bytes += wrongBytes(fault.kind(), fence, chunkBytes);
        }
        return bytes;
    }

    private static long wrongBytes(Kind kind, String fence, int chunkBytes) {
        boolean ordered =
                fence.equals(FenceChoice.SENTINEL.label())
                        || fence.equals(FenceChoice.CANARY.label());
        return switch (kind) {
            // one bit of the data of one command
            case WRONG_DATA -> 1;
            // a posted write holds at most a page; one that arrives twice may hit the next chunk
            case DROPPED_WRITE, DUPLICATED_WRITE -> PIECE;
            // the size of a hole is unknown here
            case CMB_HOLE -> Integer.MAX_VALUE;
            // the fence's own data waits behind it, but a read-back takes another route
            case DELAYED_WRITE -> ordered ? 0 : Integer.MAX_VALUE;
            // the chunk may have been read again and handed on, and the next chunk is in the slot
            case LATE_DATA -> chunkBytes;
            default -> 0;
        };
    }

    /** Returns whether a fault of this kind lets data arrive in a slot too late. */
    static boolean staleMoves(Kind kind, String fence) {
        return kind == Kind.DUPLICATED_WRITE
                || (kind == Kind.DELAYED_WRITE && wrongBytes(kind, fence, PIECE) > 0);
    }

    /**
     * Returns whether these faults explain an error.
     *
     * @param happened the faults
     * @param code the code of the error that ended the bring-up, or the copy after it was planned
     */
    static boolean explains(Collection<Fault> happened, String code) {
        return happened.stream().anyMatch(fault -> codes(fault.kind()).contains(code));
    }

    private static Set<String> codes(Kind kind) {
        return switch (kind) {
            case LATE_DATA ->
                    // the fault may happen between the planting of a word and its load
                    with("buffer-not-memory", with("verify-mismatch", codes(Kind.STATUS)));
            case STATUS ->
                    Set.of(
                            "nvme-status",
                            "no-such-namespace",
                            "read-failed",
                            "write-failed",
                            "fence-read-failed",
                            "verify-failed",
                            "flush-failed");
            case BAD_BLOCKS, CMB_DATA_WITHDRAWN ->
                    Set.of("read-failed", "write-failed", "fence-read-failed", "verify-failed");
            case WRONG_DATA -> Set.of("verify-mismatch");
            case SLOW, STALL, ZOMBIE, LOST_COMPLETION, LATE_COMPLETION, WRONG_PHASE ->
                    Set.of("command-timeout", "controller-timeout", "flush-failed");
            case DUPLICATE_COMPLETION, FORGED_COMPLETION, WRONG_CID ->
                    Set.of("controller-nonsense");
            case FATAL -> Set.of("controller-fatal");
            case RESET -> Set.of("controller-reset");
            case GONE -> Set.of("controller-gone");
            case COMPARE_LIES -> Set.of("compare-lies", "peer-reads-lie");
            case CMB_HOLE, DROPPED_WRITE, DELAYED_WRITE, DUPLICATED_WRITE ->
                    Set.of("peer-writes-lost", "peer-data-missing", "verify-mismatch");
            case CBAI, MAPPING -> Set.of("cmb-refused", "dma-map-failed");
            case ALLOCATION -> Set.of("no-dma-memory");
            // the fault may happen between CC.EN and CSTS.RDY
            case SUDDEN_RESET, SUDDEN_DISABLE -> with("controller-not-ready", codes(Kind.RESET));
            case SUDDEN_REMOVAL -> codes(Kind.GONE);
        };
    }

    private static Set<String> with(String code, Set<String> codes) {
        Set<String> all = new HashSet<>(codes);
        all.add(code);
        return all;
    }
}
