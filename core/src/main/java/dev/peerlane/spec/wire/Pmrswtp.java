package dev.peerlane.spec.wire;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * PMRSWTP, Persistent Memory Region Sustained Write Throughput (NVMe Base 2.0, 3.1.3.26).
 *
 * @param raw the register's 32 bits
 */
public record Pmrswtp(int raw) {
    /**
     * Returns the Sustained Write Throughput Units, raw, per second: 0 bytes, 1 KiB, 2 MiB, 3 GiB;
     * others are reserved.
     */
    public int pmrswtu() {
        return Bits.get(raw, 3, 0);
    }

    /** Returns the Sustained Write Throughput, in units per second. */
    public int pmrswtv() {
        return Bits.get(raw, 31, 8);
    }

    /**
     * Returns the sustained write throughput in bytes per second; 0 if it is not reported or the
     * unit is reserved.
     */
    public long bytesPerSecond() {
        return pmrswtv() * Wire.scaleBytes(pmrswtu());
    }

    /** Composes the register. */
    public static Pmrswtp of(int pmrswtu, int pmrswtv) {
        return new Pmrswtp(Bits.with(Bits.with(0, 3, 0, pmrswtu), 31, 8, pmrswtv));
    }
}
