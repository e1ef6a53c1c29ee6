package dev.peerlane.nvme;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Limits of commands that move no data (NVM Command Set 1.0, 4.1.5.3): what one may cover.
 *
 * @param verifyBytes most that one Verify covers
 * @param writeZeroesBytes most that one Write Zeroes covers
 * @param deallocateBlocks most blocks of one range of Dataset Management
 */
record NvmLimits(long verifyBytes, long writeZeroesBytes, long deallocateBlocks) {
    private static final int VSL = 0;
    private static final int WZSL = 1;
    private static final int DMRSL = 4;
    private static final int MAX_SHIFT = 40;
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** For a controller that does not tell: as for commands with data, which all accept. */
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
