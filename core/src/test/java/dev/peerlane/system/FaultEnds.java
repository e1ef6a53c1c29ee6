package dev.peerlane.system;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.Fault.Kind;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.util.Map;
import java.util.Set;

/**
 * How a copy may end that meets a fault, besides well: {@code copy} is a CopyException, which has a
 * receipt; {@code open} a PeerlaneException from before or after the copy. Then category and code.
 */
final class FaultEnds {
    private static final Set<String> NONE = Set.of();
    private static final Set<String> SILENT_DRIVE =
            Set.of(
                    "copy IO command-timeout",
                    "copy IO flush-failed",
                    "open IO controller-timeout",
                    "open IO target-not-read");
    private static final Set<String> NONSENSE =
            Set.of("copy IO controller-nonsense", "open IO controller-nonsense");

    private static final Map<Kind, Set<String>> OF_KIND =
            Map.ofEntries(
                    Map.entry(Kind.SLOW, NONE),
                    Map.entry(Kind.STALL, NONE),
                    Map.entry(Kind.LATE_COMPLETION, NONE),
                    Map.entry(Kind.LATE_DATA, NONE),
                    Map.entry(Kind.DELAYED_WRITE, NONE),
                    Map.entry(Kind.DUPLICATED_WRITE, NONE),
                    Map.entry(
                            Kind.DROPPED_WRITE,
                            Set.of("copy IO verify-mismatch", "copy IO peer-writes-lost")),
                    Map.entry(Kind.COMPARE_LIES, Set.of("copy IO compare-lies")),
                    Map.entry(
                            Kind.CMB_HOLE,
                            Set.of("copy IO verify-mismatch", "copy IO peer-writes-lost")),
                    Map.entry(
                            Kind.WRONG_DATA,
                            // a drive that says it can transfer more than it can
                            Set.of("copy IO verify-mismatch", "open IO target-not-read")),
                    Map.entry(Kind.ZOMBIE, SILENT_DRIVE),
                    Map.entry(Kind.LOST_COMPLETION, SILENT_DRIVE),
                    Map.entry(Kind.WRONG_PHASE, SILENT_DRIVE),
                    Map.entry(Kind.DUPLICATE_COMPLETION, NONSENSE),
                    Map.entry(Kind.FORGED_COMPLETION, NONSENSE),
                    Map.entry(Kind.WRONG_CID, NONSENSE),
                    Map.entry(Kind.FATAL, typed("controller-fatal")),
                    Map.entry(Kind.RESET, typed("controller-reset")),
                    Map.entry(Kind.GONE, typed("controller-gone")),
                    Map.entry(
                            Kind.BAD_BLOCKS,
                            Set.of(
                                    "copy IO read-failed",
                                    "copy IO fence-read-failed",
                                    "copy IO write-failed",
                                    "copy IO verify-failed",
                                    "open IO target-not-read")),
                    Map.entry(
                            Kind.CMB_DATA_WITHDRAWN,
                            Set.of(
                                    "copy IO read-failed",
                                    "copy IO write-failed",
                                    "copy IO verify-failed",
                                    "open MACHINE cmb-unfit")),
                    Map.entry(Kind.CBAI, Set.of("open MACHINE no-cmb")),
                    Map.entry(Kind.MAPPING, Set.of("open MACHINE no-cmb")),
                    Map.entry(
                            Kind.ALLOCATION,
                            Set.of(
                                    "copy MACHINE no-dma-memory",
                                    "open MACHINE no-dma-memory",
                                    "open MACHINE no-cmb")));

    private static final Set<String> READS_END =
            Set.of(
                    "copy IO read-failed",
                    "copy IO fence-read-failed",
                    "copy IO verify-failed",
                    "open IO target-not-read");

    private static final Map<Integer, Set<String>> OF_IO_STATUS =
            Map.of(
                    NvmOpcode.READ, Set.of("copy IO read-failed", "copy IO fence-read-failed"),
                    NvmOpcode.WRITE, Set.of("copy IO write-failed"),
                    NvmOpcode.COMPARE, Set.of("copy IO verify-failed"),
                    NvmOpcode.FLUSH, Set.of("copy IO flush-failed"));

    private FaultEnds() {}

    /** The device that is the cause is named, in the middle of a copy as well. */
    private static Set<String> typed(String code) {
        return Set.of("copy IO " + code, "open IO " + code);
    }

    /** Whether a copy through some buffer may end so. */
    static boolean allows(Fault fault, String end) {
        if (end.equals("ok")) {
            return true;
        }
        // the third drive only lends its memory
        if ("c".equals(fault.drive()) && fault.kind() != Kind.CMB_HOLE) {
            return end.equals("open MACHINE no-cmb")
                    || (fault.kind() == Kind.GONE && end.equals("copy IO controller-gone"));
        }
        if (fault.kind() == Kind.LATE_DATA && Status.doNotRetry(fault.status())) {
            return READS_END.contains(end);
        }
        if (fault.kind() != Kind.STATUS) {
            return OF_KIND.get(fault.kind()).contains(end);
        }
        if (fault.queue() == Fault.Queue.IO) {
            return OF_IO_STATUS.get(fault.opcode()).contains(end);
        }
        boolean any = fault.queue() == Fault.Queue.ANY;
        return end.equals("open IO nvme-status") || (any && end.equals("copy IO flush-failed"));
    }
}
