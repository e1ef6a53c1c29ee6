package dev.peerlane.nvme;

import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Cns;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.SmartLog;
import org.jspecify.annotations.Nullable;

/** What a controller said of itself when it was brought up, checked, and what follows from it. */
final class ControllerProfile {
    private final Controller controller;
    private final IdentifyController identity;
    private final int maxTransferBytes;
    private final boolean mediaReadOnly;
    private @Nullable NvmLimits nvmLimits;

    private ControllerProfile(
            Controller controller,
            IdentifyController identity,
            int maxTransferBytes,
            boolean mediaReadOnly) {
        this.controller = controller;
        this.identity = identity;
        this.maxTransferBytes = maxTransferBytes;
        this.mediaReadOnly = mediaReadOnly;
    }

    static ControllerProfile read(Controller c) {
        IdentifyController id =
                new IdentifyController(c.admin().identify(Cns.CONTROLLER, 0, CommandSet.NVM));
        IdentityCheck.check(c.locator(), id, c.cap().minPageBytes());
        c.admin().abortLimit(id.abortLimit());
        long most = id.maxTransferBytes(c.cap().minPageBytes());
        return new ControllerProfile(
                c, id, (int) Math.min(c.options().maxTransferBytes(), most), readOnly(c.admin()));
    }

    private static boolean readOnly(Admin admin) {
        try {
            return (admin.smart().criticalWarning() & SmartLog.WARNING_READ_ONLY) != 0;
        } catch (NvmeStatusException e) {
            return false; // it does not tell; a write will
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
        return controller.options().sgls()
                && (support == IdentifyController.SGL_BYTES
                        || support == IdentifyController.SGL_DWORDS);
    }

    boolean isMediaReadOnly() {
        return mediaReadOnly;
    }

    /** Asks for I/O queue pairs (Number of Queues, 5.27.1.5) and returns how many there are. */
    int askForQueues(Controller c) {
        int wanted = c.options().ioQueuePairs();
        int granted =
                c.admin()
                        .changeFeature(
                                Feature.NUMBER_OF_QUEUES, Feature.numberOfQueues(wanted, wanted));
        int pairs = Math.min(Feature.submissionQueues(granted), Feature.completionQueues(granted));
        int doorbells = c.registers().queuePairsWithDoorbells(c.cap().dstrd()) - 1;
        return Math.min(Math.min(pairs, wanted), doorbells);
    }

    /** Returns the limits of commands without data, asked for when they are first needed. */
    NvmLimits nvmLimits() {
        if (nvmLimits == null) {
            nvmLimits = NvmLimits.unknown(maxTransferBytes);
            if ((controller.cap().css() & Cap.CSS_IOCS) != 0) {
                try {
                    nvmLimits =
                            NvmLimits.of(
                                    controller
                                            .admin()
                                            .identify(Cns.CONTROLLER_CSI, 0, CommandSet.NVM),
                                    controller.cap().minPageBytes());
                } catch (NvmeStatusException e) {
                    nvmLimits = NvmLimits.unknown(maxTransferBytes);
                }
            }
        }
        return nvmLimits;
    }
}
