package dev.peerlane.vfio;

import dev.peerlane.hal.Clock;
import dev.peerlane.pci.ConfigSpace;
import java.util.OptionalInt;

/**
 * The configuration that has to survive a reset: BARs, Cache Line Size, Interrupt Line, Device
 * Control and Device Control 2, and the Command register, which is written last. The kernel
 * restores most of it; {@link #restore} writes what still differs.
 */
final class SavedConfig {
    private static final int BARS = 6;
    private static final long BACK_NANOS = 1_000_000_000L; // PCIe 5.0, 6.6.2: 100 ms, tenfold

    private final int identity;
    private final int command;
    private final int cacheLine;
    private final int interruptLine;
    private final int[] bars = new int[BARS];
    private final OptionalInt express;
    private final int control;
    private final int control2;

    private SavedConfig(ConfigSpace config) {
        identity = config.load32(ConfigSpace.CLASS_REVISION);
        command = config.load16(ConfigSpace.COMMAND);
        cacheLine = config.load32(ConfigSpace.CACHE_LINE);
        interruptLine = config.load32(ConfigSpace.INTERRUPT_LINE);
        for (int i = 0; i < BARS; i++) {
            bars[i] = config.load32(ConfigSpace.BAR0 + 4 * i);
        }
        express = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        control =
                express.isPresent()
                        ? config.load16(express.getAsInt() + ConfigSpace.EXP_DEVICE_CONTROL)
                        : 0;
        control2 =
                express.isPresent()
                        ? config.load16(express.getAsInt() + ConfigSpace.EXP_DEVICE_CONTROL_2)
                        : 0;
    }

    static SavedConfig of(ConfigSpace config) {
        return new SavedConfig(config);
    }

    /**
     * Waits until the function answers, then restores the registers that differ. Returns false if
     * the function is gone.
     */
    boolean restore(ConfigSpace config, Clock clock) {
        boolean back =
                clock.await(
                        () -> config.load32(ConfigSpace.CLASS_REVISION) == identity, BACK_NANOS);
        if (!back) {
            return false;
        }
        for (int i = 0; i < BARS; i++) {
            put32(config, ConfigSpace.BAR0 + 4 * i, bars[i]);
        }
        put32(config, ConfigSpace.CACHE_LINE, cacheLine);
        put32(config, ConfigSpace.INTERRUPT_LINE, interruptLine);
        if (express.isPresent()) {
            put16(config, express.getAsInt() + ConfigSpace.EXP_DEVICE_CONTROL, control);
            put16(config, express.getAsInt() + ConfigSpace.EXP_DEVICE_CONTROL_2, control2);
        }
        put16(config, ConfigSpace.COMMAND, command);
        return !config.isGone();
    }

    private static void put32(ConfigSpace config, int offset, int value) {
        if (config.load32(offset) != value) {
            config.store32(offset, value);
        }
    }

    private static void put16(ConfigSpace config, int offset, int value) {
        if (config.load16(offset) != value) {
            config.store16(offset, value);
        }
    }
}
