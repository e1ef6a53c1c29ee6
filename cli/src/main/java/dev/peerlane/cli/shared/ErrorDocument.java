package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.Receipt;

/**
 * An error of a command that has no document of its own for it.
 *
 * @param schema names this form of document
 * @param exitStatus with which the program ends
 * @param error what went wrong, and what to type about it
 */
public record ErrorDocument(String schema, int exitStatus, Receipt.Failure error) {
    static final String SCHEMA = "peerlane.error/1";

    static ErrorDocument of(PeerlaneException e) {
        return new ErrorDocument(SCHEMA, ExitStatus.of(e), failure(e));
    }

    /** Returns an error as it stands in every document, with the remedy in this program's words. */
    public static Receipt.Failure failure(PeerlaneException e) {
        return new Receipt.Failure(
                e.code(), String.valueOf(e.getMessage()), Remedies.of(e), null, null, null);
    }
}
