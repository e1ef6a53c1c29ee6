package dev.peerlane.pci;

import org.jspecify.annotations.Nullable;

/**
 * What a PCI Express link runs at, and what its function could do (PCIe 5.0, 7.5.3.6 and 7.5.3.8).
 *
 * @param generation of the speed in use: 1 for 2.5 GT/s up to 6 for 64 GT/s; 0 if not known
 * @param width lanes in use; 0 if not known
 * @param maxGeneration the best speed
 * @param maxWidth the most lanes
 */
public record Link(int generation, int width, int maxGeneration, int maxWidth) {
    private static final double[] GIGATRANSFERS = {0, 2.5, 5, 8, 16, 32, 64};

    /** Reads the link of a function's port, or null if it has none. */
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

    /** Returns whether speed and width in use are known. */
    public boolean isUp() {
        return bytesPerSecond() > 0;
    }

    /** Returns what it can carry in one direction, line code taken off, in bytes a second. */
    public long bytesPerSecond() {
        return bytesPerSecond(generation, width);
    }

    /** Returns what it could carry at its best, in bytes a second. */
    public long maxBytesPerSecond() {
        return bytesPerSecond(maxGeneration, maxWidth);
    }

    /** Returns what a link of this function with another could be at best. */
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

    /** Returns speed and width in use as {@code 8 GT/s x4}. */
    public String now() {
        return words(generation, width);
    }

    /** Returns the best speed and width as {@code 16 GT/s x4}. */
    public String best() {
        return words(maxGeneration, maxWidth);
    }

    /** Returns it as {@code 8 GT/s x4}, with what it could be if that is more. */
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

    /** Returns the generation of a speed as Linux writes it, {@code 8.0 GT/s PCIe}; 0 if none. */
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
