package dev.peerlane.nvme;

import dev.peerlane.spec.Cap;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.SmartLog;
import dev.peerlane.spec.wire.Cns;
import org.jspecify.annotations.Nullable;

/** The checked Identify data of a controller, and what follows from it. */
final class ControllerProfile {
    private final Admin admin;
    private final Cap cap;
    private final ControllerOptions options;
    private final IdentifyController identity;
    private final int maxTransferBytes;
    private final boolean mediaReadOnly;
    private @Nullable NvmLimits nvmLimits;

    private ControllerProfile(
            Admin admin,
            Cap cap,
            ControllerOptions options,
            IdentifyController identity,
            int maxTransferBytes,
            boolean mediaReadOnly) {
        this.admin = admin;
        this.cap = cap;
        this.options = options;
        this.identity = identity;
        this.maxTransferBytes = maxTransferBytes;
        this.mediaReadOnly = mediaReadOnly;
    }

    static ControllerProfile read(String locator, Admin admin, Cap cap, ControllerOptions options) {
        IdentifyController id =
                new IdentifyController(admin.identify(Cns.CONTROLLER, 0, CommandSet.NVM));
        IdentityCheck.check(locator, id, cap.minPageBytes());
        admin.abortLimit(id.abortLimit());
        long most = id.maxTransferBytes(cap.minPageBytes());
        int bytes = (int) Math.min(options.maxTransferBytes(), most);
        return new ControllerProfile(admin, cap, options, id, bytes, readOnly(admin));
    }

    private static boolean readOnly(Admin admin) {
        try {
            return (admin.smart().criticalWarning() & SmartLog.WARNING_READ_ONLY) != 0;
        } catch (NvmeStatusException e) {
            return false; // the controller does not say; a write will show
        }
    }

    IdentifyController identity() {
        return identity;
    }

    int maxTransferBytes() {
        return maxTransferBytes;
    }

    /** Returns whether data of more than two pages is described by an SGL. */
    boolean usesSgls() {
        int support = identity.sglSupport();
        return options.sgls()
                && (support == IdentifyController.SGL_BYTES
                        || support == IdentifyController.SGL_DWORDS);
    }

    boolean isMediaReadOnly() {
        return mediaReadOnly;
    }

    /** Requests I/O queue pairs (Number of Queues, 5.27.1.5) and returns how many were granted. */
    int askForQueues(Registers registers) {
        int wanted = options.ioQueuePairs();
        int granted =
                admin.changeFeature(
                        Feature.NUMBER_OF_QUEUES, Feature.numberOfQueues(wanted, wanted));
        int pairs = Math.min(Feature.submissionQueues(granted), Feature.completionQueues(granted));
        int doorbells = registers.queuePairsWithDoorbells(cap.dstrd()) - 1;
        return Math.min(Math.min(pairs, wanted), doorbells);
    }

    /** Returns the limits of commands without data. They are read on the first call. */
    NvmLimits nvmLimits() {
        if (nvmLimits == null) {
            nvmLimits = NvmLimits.unknown(maxTransferBytes);
            if ((cap.css() & Cap.CSS_IOCS) != 0) {
                try {
                    nvmLimits =
                            NvmLimits.of(
                                    admin.identify(Cns.CONTROLLER_CSI, 0, CommandSet.NVM),
                                    cap.minPageBytes());
                } catch (NvmeStatusException e) {
                    nvmLimits = NvmLimits.unknown(maxTransferBytes);
                }
            }
        }
        return nvmLimits;
    }
}
