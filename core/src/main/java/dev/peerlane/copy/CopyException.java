package dev.peerlane.copy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;

/** A copy that failed after it began; the receipt tells what was copied and what was not. */
public final class CopyException extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    private final transient Receipt receipt;

    /** Creates one with what was copied until then. */
    public CopyException(PeerlaneException cause, Receipt receipt) {
        super(cause.category(), cause.code(), message(cause, receipt), cause.remedy(), cause);
        this.receipt = receipt;
    }

    /** Tells the condition of both devices where something is wrong with one. */
    private static String message(PeerlaneException cause, Receipt receipt) {
        String said = String.valueOf(cause.getMessage());
        Receipt.Failure error = receipt.error();
        if (error == null
                || (BlockPort.READY.equals(error.sourceCondition())
                        && BlockPort.READY.equals(error.targetCondition()))) {
            return said;
        }
        return "%s; the source, %s, %s; the target, %s, %s"
                .formatted(
                        said,
                        receipt.source().locator(),
                        error.sourceCondition(),
                        receipt.target().locator(),
                        error.targetCondition());
    }

    /** Returns what was done. */
    public Receipt receipt() {
        return receipt;
    }
}
