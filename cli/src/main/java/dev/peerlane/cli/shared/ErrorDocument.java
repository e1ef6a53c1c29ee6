package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.Receipt;

/**
 * The JSON document for an error of a command that has no own document for errors.
 *
 * @param schema the name of this document format
 * @param exitStatus the exit status of the program
 * @param error the error, with the program's remedy
 */
public record ErrorDocument(String schema, int exitStatus, Receipt.Failure error) {
    static final String SCHEMA = "peerlane.error/1";

    static ErrorDocument of(PeerlaneException e) {
        return new ErrorDocument(SCHEMA, ExitStatus.of(e), failure(e));
    }

    /** Returns an error as every document has it, with the program's remedy. */
    public static Receipt.Failure failure(PeerlaneException e) {
        return new Receipt.Failure(
                e.code(), String.valueOf(e.getMessage()), Remedies.of(e), null, null, null);
    }
}
