package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;

/** A copy that failed after it began; the receipt tells what was copied and what was not. */
public final class CopyException extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    private final transient Receipt receipt;

    CopyException(PeerlaneException cause, Receipt receipt) {
        super(
                cause.category(),
                cause.code(),
                String.valueOf(cause.getMessage()),
                cause.remedy(),
                cause);
        this.receipt = receipt;
    }

    /** Returns what was done. */
    public Receipt receipt() {
        return receipt;
    }
}
