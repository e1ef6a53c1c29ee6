package dev.peerlane.lab.guest;

/** What a guest test claims: a failure is an {@link AssertionError} that says what was seen. */
final class Checks {
    private Checks() {}

    /** Fails unless it holds. */
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
