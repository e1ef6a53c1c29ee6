package dev.peerlane.block;

/**
 * What a port can do.
 *
 * @param blockBytes length of a logical block; a power of two, 512 or more
 * @param blockCount how many blocks the namespace has
 * @param maxTransferBytes longest transfer of one command; a multiple of {@code blockBytes}
 * @param depth how many commands can be in flight at once
 * @param pageBytes granularity of scattered memory: slots start on a multiple of 4 bytes, and a
 *     slot that crosses such a boundary needs no more care than one that does not
 * @param canCompare whether {@link BlockPort#submitCompare} is supported
 * @param canFlush whether there is a volatile write cache for {@link BlockPort#submitFlush} to
 *     empty
 * @param readOnly null if the namespace can be written, else why not
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
