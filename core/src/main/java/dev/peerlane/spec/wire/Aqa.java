package dev.peerlane.spec.wire;

import dev.peerlane.Bits;

/**
 * AQA, Admin Queue Attributes (NVMe Base 2.0, 3.1.3.8).
 *
 * @param raw the register's 32 bits
 */
public record Aqa(int raw) {
    /** Maximum number of entries of an admin queue. */
    public static final int MAX_ENTRIES = 4096;

    /**
     * Composes the register.
     *
     * @param submissionEntries entries of the admin submission queue, 2 to 4096
     * @param completionEntries entries of the admin completion queue, 2 to 4096
     */
    public static Aqa of(int submissionEntries, int completionEntries) {
        int asqs = Bits.with(0, 11, 0, submissionEntries - 1);
        return new Aqa(Bits.with(asqs, 27, 16, completionEntries - 1));
    }

    /** Returns the Admin Submission Queue Size, zero based. */
    public int asqsZ() {
        return Bits.get(raw, 11, 0);
    }

    /** Returns the Admin Completion Queue Size, zero based. */
    public int acqsZ() {
        return Bits.get(raw, 27, 16);
    }

    /** Returns the number of entries of the admin submission queue. */
    public int submissionEntries() {
        return asqsZ() + 1;
    }

    /** Returns the number of entries of the admin completion queue. */
    public int completionEntries() {
        return acqsZ() + 1;
    }
}
