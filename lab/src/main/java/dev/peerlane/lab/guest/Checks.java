package dev.peerlane.lab.guest;

/** Assertions of guest tests. A failure is an {@link AssertionError} with the observed value. */
final class Checks {
    private Checks() {}

    /** Fails unless the condition holds. */
    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    /** Fails unless both are equal. */
    static void same(Object wanted, Object seen, String what) {
        check(wanted.equals(seen), "%s is %s, not %s".formatted(what, seen, wanted));
    }
}
