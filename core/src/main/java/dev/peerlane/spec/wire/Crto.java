package dev.peerlane.spec.wire;

import dev.peerlane.Bits;

/**
 * CRTO, Controller Ready Timeouts (NVMe Base 2.0, 3.1.3.21). Meaningful if CAP.CRMS is not 0.
 *
 * @param raw the register's 32 bits
 */
public record Crto(int raw) {
    private static final int UNIT_MILLIS = 500;

    /** Composes the register from timeouts in units of 500 ms. */
    public static Crto of(int crwmt, int crimt) {
        return new Crto(Bits.with(Bits.with(0, 15, 0, crwmt), 31, 16, crimt));
    }

    /** Returns the Controller Ready With Media Timeout, in units of 500 ms. */
    public int crwmt() {
        return Bits.get(raw, 15, 0);
    }

    /** Returns the Controller Ready Independent of Media Timeout, in units of 500 ms. */
    public int crimt() {
        return Bits.get(raw, 31, 16);
    }

    /** Returns the longest time until controller and media are ready, in milliseconds. */
    public int withMediaTimeoutMillis() {
        return crwmt() * UNIT_MILLIS;
    }

    /**
     * Returns the longest time until the controller is ready, in milliseconds. Its media may not be
     * ready then.
     */
    public int independentTimeoutMillis() {
        return crimt() * UNIT_MILLIS;
    }
}
