package dev.peerlane.copy.engine;

import dev.peerlane.pci.PciDetails;

/** Details of functions that let no packet through, or may not. */
public final class Details {
    private Details() {}

    /**
     * Returns the details of a function that is {@code cut}, {@code asleep} or {@code contained}.
     */
    public static PciDetails of(String how) {
        boolean contained = how.equals("contained");
        return new PciDetails(
                contained ? 4096 : 64,
                how.equals("asleep") ? "D3hot" : null,
                null,
                -1,
                -1,
                null,
                -1,
                -1,
                -1,
                contained ? 1 : -1,
                contained ? 1 : -1,
                -1,
                -1,
                -1,
                -1,
                null);
    }
}
