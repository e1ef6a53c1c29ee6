package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;

/**
 * Command dwords of the NVM command set (NVM Command Set 1.0, 3.2), composed and decoded as plain
 * ints. Read, Write, Compare, Verify and Write Zeroes have the same format: CDW10 and CDW11 hold
 * the starting LBA, CDW12 the block count and the flags.
 */
public final class NvmCommand {
    /** Largest block count of one command: NLB is 16 bits, zero based. */
    public static final int MAX_BLOCKS = 1 << 16;

    /** Largest number of ranges of Dataset Management and of Copy. */
    public static final int MAX_RANGES = 256;

    /** CDW12 bit of Write Zeroes, Deallocate: the blocks may be deallocated. */
    public static final int CDW12_DEAC = 1 << 25;

    /** CDW12 bit, Force Unit Access: a Write completes when the data is on the medium. */
    public static final int CDW12_FUA = 1 << 30;

    /** CDW12 bit, Limited Retry: the controller shall limit its attempts to recover. */
    public static final int CDW12_LR = 1 << 31;

    /** CDW11 bit of Dataset Management, Attribute Deallocate. */
    public static final int DSM_DEALLOCATE = 1 << 2;

    private NvmCommand() {}

    /** Returns CDW10 of a command with a starting LBA. */
    public static int cdw10(long slba) {
        return (int) slba;
    }

    /** Returns CDW11 of a command with a starting LBA. */
    public static int cdw11(long slba) {
        return (int) (slba >>> 32);
    }

    /**
     * Composes CDW12 with a block count and no flags. The count is not checked, because this is a
     * hot path: a count out of range is reduced modulo 65,536. Code that splits requests must
     * observe {@link #MAX_BLOCKS}.
     *
     * @param blocks number of logical blocks, 1 to {@link #MAX_BLOCKS}
     */
    public static int cdw12(int blocks) {
        return (blocks - 1) & 0xFFFF;
    }

    /** Composes CDW12 with a block count and Force Unit Access. */
    public static int cdw12(int blocks, boolean fua) {
        return cdw12(blocks) | (fua ? CDW12_FUA : 0);
    }

    /** Returns the starting LBA in CDW10 and CDW11. */
    public static long slba(int cdw10, int cdw11) {
        return ((long) cdw11 << 32) | Integer.toUnsignedLong(cdw10);
    }

    /** Returns the Number of Logical Blocks in CDW12, zero based. */
    public static int nlbZ(int cdw12) {
        return Bits.get(cdw12, 15, 0);
    }

    /** Returns the number of logical blocks in CDW12, 1 to {@link #MAX_BLOCKS}. */
    public static int blocks(int cdw12) {
        return nlbZ(cdw12) + 1;
    }

    /** Returns whether Deallocate is set in CDW12 of Write Zeroes. */
    public static boolean deac(int cdw12) {
        return Bits.bit(cdw12, 25);
    }

    /** Returns the Protection Information Field in CDW12: PRCHK 2:0, PRACT 3. */
    public static int prinfo(int cdw12) {
        return Bits.get(cdw12, 29, 26);
    }

    /** Returns a copy of CDW12 with another Protection Information Field. */
    public static int withPrinfo(int cdw12, int prinfo) {
        return Bits.with(cdw12, 29, 26, prinfo);
    }

    /** Returns whether Force Unit Access is set in CDW12. */
    public static boolean fua(int cdw12) {
        return Bits.bit(cdw12, 30);
    }

    /** Returns whether Limited Retry is set in CDW12. */
    public static boolean lr(int cdw12) {
        return Bits.bit(cdw12, 31);
    }

    /**
     * Composes CDW10 of Dataset Management.
     *
     * @param ranges number of {@link DsmRange}s, 1 to {@link #MAX_RANGES}
     */
    public static int dsmCdw10(int ranges) {
        return Bits.with(0, 7, 0, ranges - 1);
    }

    /** Composes CDW11 of Dataset Management: integral dataset for read, for write, deallocate. */
    public static int dsmCdw11(boolean idr, boolean idw, boolean ad) {
        return flag(idr) | (flag(idw) << 1) | (flag(ad) << 2);
    }

    /** Returns the number of ranges in CDW10 of Dataset Management. */
    public static int dsmRanges(int cdw10) {
        return Bits.get(cdw10, 7, 0) + 1;
    }

    /**
     * Composes CDW12 of Copy (3.2.2).
     *
     * @param ranges number of source ranges, 1 to {@link #MAX_RANGES}
     * @param descriptorFormat format of the source ranges, 0 to 15
     */
    public static int copyCdw12(int ranges, int descriptorFormat) {
        return Bits.with(Bits.with(0, 7, 0, ranges - 1), 11, 8, descriptorFormat);
    }
}
