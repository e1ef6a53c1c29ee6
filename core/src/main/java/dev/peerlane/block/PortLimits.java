package dev.peerlane.block;

/**
 * The limits of a port.
 *
 * @param blockBytes length of a logical block; a power of two, 512 or more
 * @param blockCount number of blocks of the namespace
 * @param maxTransferBytes longest transfer of one command; a multiple of {@code blockBytes}
 * @param depth maximum number of commands in flight
 * @param pageBytes granularity of scattered memory. Slots start on a multiple of 4 bytes and may
 *     cross page boundaries
 * @param canCompare whether {@link BlockPort#submitCompare} is supported
 * @param canFlush whether there is a volatile write cache, which {@link BlockPort#submitFlush}
 *     empties
 * @param readOnly why the namespace can't be written, or null if it can
 */
public record PortLimits(
        int blockBytes,
        long blockCount,
        int maxTransferBytes,
        int depth,
        int pageBytes,
        boolean canCompare,
        boolean canFlush,
        @org.jspecify.annotations.Nullable String readOnly) {}
