package dev.peerlane.spec.wire;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;

/**
 * PMRSWTP, Persistent Memory Region Sustained Write Throughput (NVMe Base 2.0, 3.1.3.26).
 *
 * @param raw the register's 32 bits
 */
public record Pmrswtp(int raw) {
    /** Units a second, raw: 0 bytes, 1 KiB, 2 MiB, 3 GiB; others are reserved. */
    public int pmrswtu() {
        return Bits.get(raw, 3, 0);
    }

    /** Sustained Write Throughput, in units a second. */
    public int pmrswtv() {
        return Bits.get(raw, 31, 8);
    }

    /** Sustained write throughput; 0 for not reported or for a reserved unit. */
    public long bytesPerSecond() {
        return pmrswtv() * Wire.scaleBytes(pmrswtu());
    }

    /** Composes the register. */
    public static Pmrswtp of(int pmrswtu, int pmrswtv) {
        return new Pmrswtp(Bits.with(Bits.with(0, 3, 0, pmrswtu), 31, 8, pmrswtv));
    }
}
