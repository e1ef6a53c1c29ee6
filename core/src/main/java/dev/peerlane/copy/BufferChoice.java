package dev.peerlane.copy;

import org.jspecify.annotations.Nullable;

/**
 * The user's choice of the memory that carries the data.
 *
 * @param kind null to let the planner choose, which may fall back to host memory and announces
 *     that; any other kind never falls back
 * @param locator the device of a third-party CMB, or null for any
 */
public record BufferChoice(@Nullable BufferKind kind, @Nullable String locator) {
    /** Lets the planner choose. */
    public static final BufferChoice AUTO = new BufferChoice(null, null);

    /** The CMB of the target. */
    public static final BufferChoice TARGET = new BufferChoice(BufferKind.TARGET_CMB, null);

    /** The CMB of the source. */
    public static final BufferChoice SOURCE = new BufferChoice(BufferKind.SOURCE_CMB, null);

    /** Host memory. */
    public static final BufferChoice HOST = new BufferChoice(BufferKind.HOST, null);

    /**
     * Returns the choice of one device's CMB, whether it is the source, the target or a third
     * party.
     */
    public static BufferChoice device(String locator) {
        return new BufferChoice(BufferKind.THIRD_PARTY_CMB, locator);
    }

    /**
     * Returns the name of the choice: {@code auto}, {@code target}, {@code source}, {@code host},
     * or a locator.
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
