package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.diagnose.Diagnosis;
import org.jspecify.annotations.Nullable;

/**
 * The exit statuses of the program. Scripts rely on them, so they don't change between releases.
 */
public final class ExitStatus {
    private ExitStatus() {}

    /** Returns the status for an error, or 0 for null. */
    public static int of(@Nullable PeerlaneException failure) {
        return failure == null ? 0 : of(failure.category());
    }

    /**
     * Returns the status for a diagnosis: the status of a copy that is refused for its findings.
     */
    public static int of(Diagnosis diagnosis) {
        Category against = diagnosis.against();
        return against == null ? 0 : of(against);
    }

    /** Returns the status for an error of a category. */
    public static int of(Category category) {
        return switch (category) {
            case REQUEST -> 1;
            case MACHINE -> 2;
            case REFUSED -> 3;
            case IO -> 4;
            case INTERRUPTED -> 130;
        };
    }
}
