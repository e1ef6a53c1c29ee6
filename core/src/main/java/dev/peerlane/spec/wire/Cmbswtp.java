package dev.peerlane.spec.wire;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * CMBSWTP, Controller Memory Buffer Sustained Write Throughput (NVMe Base 2.0, 3.1.3.19).
 *
 * @param raw the register's 32 bits
 */
public record Cmbswtp(int raw) {
    /**
     * Returns the Sustained Write Throughput Units, raw, per second: 0 bytes, 1 KiB, 2 MiB, 3 GiB;
     * others are reserved.
     */
    public int cmbswtu() {
        return Bits.get(raw, 3, 0);
    }

    /** Returns the Sustained Write Throughput, in units per second. */
    public int cmbswtv() {
        return Bits.get(raw, 31, 8);
    }

    /**
     * Returns the sustained write throughput in bytes per second; 0 if it is not reported or the
     * unit is reserved.
     */
    public long bytesPerSecond() {
        return cmbswtv() * Wire.scaleBytes(cmbswtu());
    }

    /**
     * Composes the register, in the largest unit that divides the rate.
     *
     * @throws IllegalArgumentException if the rate does not fit in any unit
     */
    public static Cmbswtp ofBytes(long bytesPerSecond) {
        int unit = Wire.unitOf(bytesPerSecond);
        return of(unit, (int) (bytesPerSecond / Wire.scaleBytes(unit)));
    }

    /** Composes the register. */
    public static Cmbswtp of(int cmbswtu, int cmbswtv) {
        return new Cmbswtp(Bits.with(Bits.with(0, 3, 0, cmbswtu), 31, 8, cmbswtv));
    }
}
