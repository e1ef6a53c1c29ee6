package dev.peerlane.spec;

import dev.peerlane.Bits;

/**
 * VS, Version (NVMe Base 2.0, 3.1.3.2). VER of Identify Controller has the same format.
 *
 * @param raw the register's 32 bits
 */
public record Vs(int raw) {
    /** Composes a version, such as 1, 4, 0. */
    public static Vs of(int mjr, int mnr, int ter) {
        int minor = Bits.with(Bits.with(0, 7, 0, ter), 15, 8, mnr);
        return new Vs(Bits.with(minor, 31, 16, mjr));
    }

    /** Returns the Tertiary Version Number. */
    public int ter() {
        return Bits.get(raw, 7, 0);
    }

    /** Returns the Minor Version Number. */
    public int mnr() {
        return Bits.get(raw, 15, 8);
    }

    /** Returns the Major Version Number. */
    public int mjr() {
        return Bits.get(raw, 31, 16);
    }

    /** Returns whether this version is the given one or a later one. */
    public boolean isAtLeast(int major, int minor) {
        return mjr() > major || (mjr() == major && mnr() >= minor);
    }

    /** Returns the version with dots: {@code 1.4.0}. */
    @Override
    public String toString() {
        return mjr() + "." + mnr() + "." + ter();
    }
}
