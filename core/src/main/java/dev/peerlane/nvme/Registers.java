package dev.peerlane.nvme;

import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PendingLoad;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.Reg;

/**
 * The registers in BAR 0 (NVMe Base 2.0, 3.1.3), accessed 4 bytes at a time. Every read of CSTS
 * checks for a controller that is gone.
 */
final class Registers {
    private final Bar bar;
    private final String locator;
    private final Clock clock;

    Registers(Bar bar, String locator, Clock clock) {
        if (bar.sizeBytes() < Reg.DOORBELLS + 16) {
            throw ControllerFault.unsupported(
                    locator,
                    "BAR 0 has %d bytes, too few for registers and doorbells"
                            .formatted(bar.sizeBytes()),
                    "this is not an NVMe controller over PCIe, or its BARs were not assigned");
        }
        this.bar = bar;
        this.locator = locator;
        this.clock = clock;
    }

    String locator() {
        return locator;
    }

    int load32(int offset) {
        return bar.load32(offset);
    }

    void store32(int offset, int value) {
        bar.store32(offset, value);
    }

    long load64LowFirst(int offset) {
        long low = Integer.toUnsignedLong(bar.load32(offset));
        return low | ((long) bar.load32(offset + 4) << 32);
    }

    void store64LowFirst(int offset, long value) {
        bar.store32(offset, (int) value);
        bar.store32(offset + 4, (int) (value >>> 32));
    }

    /**
     * Stores the high half first, for registers that take effect when their low half is written.
     */
    void store64HighFirst(int offset, long value) {
        bar.store32(offset + 4, (int) (value >>> 32));
        bar.store32(offset, (int) value);
    }

    /**
     * Returns how many queue pairs, including the admin queues, have their doorbells inside the
     * BAR.
     */
    int queuePairsWithDoorbells(int dstrd) {
        return (int) Math.min(65_536, (bar.sizeBytes() - Reg.DOORBELLS) / (2L * (4L << dstrd)));
    }

    Doorbell doorbell(long offset) {
        return bar.doorbell(offset);
    }

    Cc cc() {
        return new Cc(bar.load32(Reg.CC));
    }

    long nanoTime() {
        return clock.nanoTime();
    }

    /** Starts to load CSTS, for {@link #checkHealth(int, String)}. */
    PendingLoad startCsts() {
        return bar.startLoad32(Reg.CSTS);
    }

    /** Loads CSTS. Throws if the controller is gone. */
    Csts csts(String when) {
        return there(bar.load32(Reg.CSTS), when);
    }

    private Csts there(int value, String when) {
        Csts csts = new Csts(value);
        if (csts.isGone()) {
            throw ControllerFault.gone(locator, when);
        }
        return csts;
    }

    /**
     * Returns the condition of a controller that was enabled, in the words of {@link
     * dev.peerlane.block.BlockPort#condition}.
     */
    String condition() {
        Csts csts;
        try {
            csts = new Csts(bar.load32(Reg.CSTS));
        } catch (InternalError e) {
            return "can't be reached: its registers are no longer mapped";
        }
        if (csts.isGone()) {
            return "does not answer: CSTS reads FFFFFFFFh";
        }
        if (csts.cfs()) {
            return "reports a fatal error: CSTS %08Xh".formatted(csts.raw());
        }
        return csts.rdy()
                ? BlockPort.READY
                : "was reset or disabled: CSTS %08Xh".formatted(csts.raw());
    }

    /**
     * Checks that a controller that was enabled is not gone, reports no fatal error, and was not
     * reset.
     */
    void checkHealth(String when) {
        checkHealth(bar.load32(Reg.CSTS), when);
    }

    /** Checks the same as {@link #checkHealth(String)}, on a CSTS value that was loaded before. */
    void checkHealth(int value, String when) {
        Csts csts = there(value, when);
        if (csts.cfs()) {
            throw ControllerFault.fatal(locator, csts.raw(), when);
        }
        if (!csts.rdy()) {
            throw ControllerFault.resetByOthers(locator, csts.raw(), when);
        }
    }

    /**
     * Waits until CSTS.RDY has the wanted value.
     *
     * @param fatalEnds whether CSTS.CFS ends the wait with a fault. Pass false while disabling,
     *     because disabling clears CFS
     */
    void awaitReady(boolean wanted, boolean fatalEnds, long timeoutNanos) {
        String when = wanted ? "while it was enabled" : "while it was disabled";
        boolean reached =
                clock.await(
                        () -> {
                            Csts csts = csts(when);
                            if (fatalEnds && csts.cfs()) {
                                throw ControllerFault.fatal(locator, csts.raw(), when);
                            }
                            return csts.rdy() == wanted;
                        },
                        timeoutNanos);
        if (!reached) {
            throw ControllerFault.notReady(locator, csts(when).raw(), wanted, timeoutNanos);
        }
    }
}
