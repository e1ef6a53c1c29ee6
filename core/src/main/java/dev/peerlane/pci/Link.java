package dev.peerlane.pci;

import org.jspecify.annotations.Nullable;

/**
 * The current and the maximum speed and width of a PCI Express link (PCIe 5.0, 7.5.3.6 and
 * 7.5.3.8).
 *
 * @param generation generation of the current speed: 1 for 2.5 GT/s up to 6 for 64 GT/s; 0 if not
 *     known
 * @param width lanes in use; 0 if not known
 * @param maxGeneration generation of the maximum speed
 * @param maxWidth maximum number of lanes
 */
public record Link(int generation, int width, int maxGeneration, int maxWidth) {
    private static final double[] GIGATRANSFERS = {0, 2.5, 5, 8, 16, 32, 64};

    /** Reads the link of a function's port, or returns null if the function has none. */
    public static @Nullable Link of(ConfigSpace config) {
        var express = config.capability(ConfigSpace.CAP_PCI_EXPRESS);
        if (express.isEmpty()) {
            return null;
        }
        int capabilities = config.load32(express.getAsInt() + ConfigSpace.EXP_LINK_CAPABILITIES);
        int status = config.load16(express.getAsInt() + ConfigSpace.EXP_LINK_STATUS);
        if (capabilities == 0 || capabilities == -1) {
            return null;
        }
        return new Link(
                status & 0xf,
                (status >>> 4) & 0x3f,
                capabilities & 0xf,
                (capabilities >>> 4) & 0x3f);
    }

    /** Returns whether the current speed and width are known. */
    public boolean isUp() {
        return bytesPerSecond() > 0;
    }

    /** Returns the bandwidth in one direction, without line code, in bytes per second. */
    public long bytesPerSecond() {
        return bytesPerSecond(generation, width);
    }

    /** Returns the bandwidth at the maximum speed and width, in bytes per second. */
    public long maxBytesPerSecond() {
        return bytesPerSecond(maxGeneration, maxWidth);
    }

    /** Returns the best link that this function and another one could have with each other. */
    public Link bestWith(Link other) {
        int bestGeneration = Math.min(maxGeneration, other.maxGeneration);
        int bestWidth = Math.min(maxWidth, other.maxWidth);
        return new Link(bestGeneration, bestWidth, bestGeneration, bestWidth);
    }

    private static long bytesPerSecond(int generation, int width) {
        if (generation < 1 || generation >= GIGATRANSFERS.length || width < 1) {
            return 0;
        }
        // 8b/10b to 5 GT/s, 128b/130b to 32, then 236 data and header bytes of each 256-byte flit
        double code = generation <= 2 ? 0.8 : generation <= 5 ? 128.0 / 130 : 236.0 / 256;
        return (long) (GIGATRANSFERS[generation] * 1e9 / 8 * code * width);
    }

    /** Returns the current speed and width, such as {@code 8 GT/s x4}. */
    public String now() {
        return words(generation, width);
    }

    /** Returns the maximum speed and width, such as {@code 16 GT/s x4}. */
    public String best() {
        return words(maxGeneration, maxWidth);
    }

    /**
     * Returns the current speed and width, such as {@code 8 GT/s x4}, and the maximum if that is
     * higher.
     */
    @Override
    public String toString() {
        return now().equals(best()) ? now() : now() + " (of " + best() + ")";
    }

    private static String words(int generation, int width) {
        if (generation < 1 || generation >= GIGATRANSFERS.length || width < 1) {
            return "down";
        }
        double speed = GIGATRANSFERS[generation];
        String digits = speed == Math.rint(speed) ? "%.0f".formatted(speed) : "" + speed;
        return digits + " GT/s x" + width;
    }

    /**
     * Returns the generation of a speed in Linux's format, {@code 8.0 GT/s PCIe}; 0 if the text has
     * no known speed.
     */
    public static int generationOf(@Nullable String speed) {
        if (speed == null) {
            return 0;
        }
        for (int i = 1; i < GIGATRANSFERS.length; i++) {
            double value = GIGATRANSFERS[i];
            if (speed.startsWith(value + " ")
                    || (value == Math.rint(value) && speed.startsWith((int) value + " "))) {
                return i;
            }
        }
        return 0;
    }
}
