package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.Status;

/**
 * A command that the controller completed with an error status (NVMe Base 2.0, 3.3.3.2.1). Its
 * {@link #code()} is {@code nvme-status}.
 */
public final class NvmeStatusException extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    private final int status;

    NvmeStatusException(String object, String command, int status) {
        super(
                Category.IO,
                "nvme-status",
                "%s: %s ended with %s".formatted(object, command, Status.describe(status)),
                withoutStop(Status.hint(status)));
        this.status = status;
    }

    private static String withoutStop(String hint) {
        return hint.endsWith(".") ? hint.substring(0, hint.length() - 1) : hint;
    }

    /** Returns the status field without the phase tag, in the form that {@link Status} takes. */
    public int status() {
        return status;
    }

    /** Returns the Status Code Type. */
    public int statusCodeType() {
        return Status.sct(status);
    }

    /** Returns the Status Code. */
    public int statusCode() {
        return Status.sc(status);
    }

    /** Returns whether the controller says that a retry of the same command would fail (DNR). */
    public boolean doNotRetry() {
        return Status.doNotRetry(status);
    }

    /** Returns advice on what to do about the status. */
    public String hint() {
        return Status.hint(status);
    }
}
