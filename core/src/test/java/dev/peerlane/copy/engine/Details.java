package dev.peerlane.copy.engine;

import dev.peerlane.pci.PciDetails;

/** What is known of a function that lets no packet through, or of which that is not known. */
public final class Details {
    private Details() {}

    /** Returns those of one that is {@code cut}, {@code asleep} or {@code contained}. */
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
                contained ? new PciDetails.Dpc(1, 1) : null,
                -1,
                -1,
                -1,
                -1,
                null);
    }
}
