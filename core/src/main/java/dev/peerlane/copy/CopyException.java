package dev.peerlane.copy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;

/** The error of a copy that failed after it began. Its receipt names what was copied. */
public final class CopyException extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    private final transient Receipt receipt;

    /** Creates an error with the receipt of what was copied until then. */
    public CopyException(PeerlaneException cause, Receipt receipt) {
        super(cause.category(), cause.code(), message(cause, receipt), cause.remedy(), cause);
        this.receipt = receipt;
    }

    /** Adds the condition of both devices to the message if one of them is not well. */
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

    /** Returns the receipt. */
    public Receipt receipt() {
        return receipt;
    }
}
