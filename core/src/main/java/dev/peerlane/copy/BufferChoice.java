package dev.peerlane.copy;

import org.jspecify.annotations.Nullable;

/**
 * What the user wants the data to be carried by.
 *
 * @param kind null for the planner's choice, which may fall back to host memory and says so; any
 *     other kind never falls back
 * @param locator for a third party: which device, or null for any
 */
public record BufferChoice(@Nullable BufferKind kind, @Nullable String locator) {
    /** The planner chooses. */
    public static final BufferChoice AUTO = new BufferChoice(null, null);

    /** The CMB of the target. */
    public static final BufferChoice TARGET = new BufferChoice(BufferKind.TARGET_CMB, null);

    /** The CMB of the source. */
    public static final BufferChoice SOURCE = new BufferChoice(BufferKind.SOURCE_CMB, null);

    /** Host memory. */
    public static final BufferChoice HOST = new BufferChoice(BufferKind.HOST, null);

    /** Returns the choice of the CMB of one device, whichever part it plays in the copy. */
    public static BufferChoice device(String locator) {
        return new BufferChoice(BufferKind.THIRD_PARTY_CMB, locator);
    }

    /**
     * Returns its name: {@code auto}, {@code target}, {@code source}, {@code host}, or a locator.
     */
    public String label() {
        if (locator != null) {
            return locator;
        }
        if (kind == null) {
            return "auto";
        }
        return switch (kind) {
            case TARGET_CMB -> "target";
            case SOURCE_CMB -> "source";
            case THIRD_PARTY_CMB -> "third";
            case HOST -> "host";
        };
    }
}
