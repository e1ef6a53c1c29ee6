package dev.peerlane.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The size limits of commands without a data transfer (NVM Command Set 1.0, 4.1.5.3).
 *
 * @param verifyBytes most bytes that one Verify may cover
 * @param writeZeroesBytes most bytes that one Write Zeroes may cover
 * @param deallocateBlocks most blocks in one range of Dataset Management
 */
record NvmLimits(long verifyBytes, long writeZeroesBytes, long deallocateBlocks) {
    private static final int VSL = 0;
    private static final int WZSL = 1;
    private static final int DMRSL = 4;
    private static final int MAX_SHIFT = 40;
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Returns the limits for a controller that reports none: those of commands with data, which
     * every controller accepts.
     */
    static NvmLimits unknown(int maxTransferBytes) {
        return new NvmLimits(maxTransferBytes, maxTransferBytes, Long.MAX_VALUE);
    }

    static NvmLimits of(MemorySegment page, int minPageBytes) {
        long dmrsl = Integer.toUnsignedLong(page.get(U32, DMRSL));
        return new NvmLimits(
                bytes(page.get(ValueLayout.JAVA_BYTE, VSL), minPageBytes),
                bytes(page.get(ValueLayout.JAVA_BYTE, WZSL), minPageBytes),
                dmrsl == 0 ? Long.MAX_VALUE : dmrsl);
    }

    private static long bytes(int exponent, int unit) {
        return exponent <= 0 || exponent > MAX_SHIFT ? Long.MAX_VALUE : (long) unit << exponent;
    }
}
