package dev.peerlane.spec.wire;

import static dev.peerlane.spec.layout.Wire.flag;

import dev.peerlane.Bits;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.LogPage;

/**
 * Command dwords of the admin commands that a driver needs (NVMe Base 2.0, 5), composed and decoded
 * as plain ints. Composers refuse a value that does not fit its field; decoders accept any value.
 */
public final class AdminCommand {
    /** NSID that means all namespaces. */
    public static final int NSID_ALL = 0xFFFF_FFFF;

    /** {@code sel} of Get Features: the current value. */
    public static final int SELECT_CURRENT = 0;

    /** {@code sel} of Get Features: the default value. */
    public static final int SELECT_DEFAULT = 1;

    /** {@code sel} of Get Features: the saved value. */
    public static final int SELECT_SAVED = 2;

    /** {@code sel} of Get Features: the capabilities of the feature. */
    public static final int SELECT_CAPABILITIES = 3;

    private static final int DWORD_BYTES = 4;

    private AdminCommand() {}

    // Create and delete I/O queues: 5.4 to 5.7.

    /**
     * Composes CDW10 of Create I/O Submission Queue and Create I/O Completion Queue.
     *
     * @param qid identifier of the new queue, not 0
     * @param entries entries of the new queue, 2 to 65,536
     */
    public static int createQueueCdw10(int qid, int entries) {
        return Bits.with(Bits.with(0, 15, 0, qid), 31, 16, entries - 1);
    }

    /**
     * Composes CDW11 of Create I/O Completion Queue.
     *
     * @param contiguous PC: PRP1 points to the queue itself
     * @param interrupts IEN: entries raise the interrupt
     * @param vector IV: interrupt vector
     */
    public static int createCqCdw11(boolean contiguous, boolean interrupts, int vector) {
        return Bits.with(flag(contiguous) | (flag(interrupts) << 1), 31, 16, vector);
    }

    /**
     * Composes CDW11 of Create I/O Submission Queue.
     *
     * @param contiguous PC: PRP1 points to the queue itself
     * @param priority QPRIO: 0 urgent to 3 low; used only with weighted round robin
     * @param cqid completion queue of the new queue
     */
    public static int createSqCdw11(boolean contiguous, int priority, int cqid) {
        return Bits.with(Bits.with(flag(contiguous), 2, 1, priority), 31, 16, cqid);
    }

    /** Composes CDW10 of Delete I/O Submission Queue and Delete I/O Completion Queue. */
    public static int deleteQueueCdw10(int qid) {
        return Bits.with(0, 15, 0, qid);
    }

    /** Returns the queue identifier in CDW10 of the commands that create and delete queues. */
    public static int qid(int cdw10) {
        return Bits.get(cdw10, 15, 0);
    }

    /** Returns the Queue Size in CDW10 of the commands that create queues, zero based. */
    public static int qsizeZ(int cdw10) {
        return Bits.get(cdw10, 31, 16);
    }

    /** Returns whether Physically Contiguous is set in CDW11 of the commands that create queues. */
    public static boolean pc(int cdw11) {
        return Bits.bit(cdw11, 0);
    }

    /** Returns whether Interrupts Enabled is set in CDW11 of Create I/O Completion Queue. */
    public static boolean ien(int cdw11) {
        return Bits.bit(cdw11, 1);
    }

    /** Returns the Interrupt Vector in CDW11 of Create I/O Completion Queue. */
    public static int iv(int cdw11) {
        return Bits.get(cdw11, 31, 16);
    }

    /** Returns the Queue Priority in CDW11 of Create I/O Submission Queue. */
    public static int qprio(int cdw11) {
        return Bits.get(cdw11, 2, 1);
    }

    /** Returns the Completion Queue Identifier in CDW11 of Create I/O Submission Queue. */
    public static int cqid(int cdw11) {
        return Bits.get(cdw11, 31, 16);
    }

    // Identify: 5.17.

    /**
     * Composes CDW10 of Identify.
     *
     * @param cns what to return, from {@link Cns}
     * @param cntid controller identifier if {@code cns} takes one, otherwise 0
     */
    public static int identifyCdw10(int cns, int cntid) {
        return Bits.with(Bits.with(0, 7, 0, cns), 31, 16, cntid);
    }

    /**
     * Composes CDW11 of Identify.
     *
     * @param csi command set, from {@link CommandSet}
     */
    public static int identifyCdw11(int csi) {
        return Bits.with(0, 31, 24, csi);
    }

    /** Returns CNS in CDW10 of Identify. */
    public static int cns(int cdw10) {
        return Bits.get(cdw10, 7, 0);
    }

    /** Returns the controller identifier in CDW10 of Identify. */
    public static int cntid(int cdw10) {
        return Bits.get(cdw10, 31, 16);
    }

    /** Returns the Command Set Identifier in CDW11 of Identify. */
    public static int csi(int cdw11) {
        return Bits.get(cdw11, 31, 24);
    }

    // Get Log Page: 5.16.

    /**
     * Composes CDW10 of Get Log Page.
     *
     * @param lid log page, from {@link LogPage}
     * @param lsp Log Specific Field, 0 to 127
     * @param retain RAE: keep the asynchronous event pending
     * @param bytes bytes to return, a multiple of 4
     */
    public static int getLogPageCdw10(int lid, int lsp, boolean retain, long bytes) {
        int page = Bits.with(Bits.with(0, 7, 0, lid), 14, 8, lsp) | (flag(retain) << 15);
        return Bits.with(page, 31, 16, (int) (numdZ(bytes) & 0xFFFF));
    }

    /**
     * Composes CDW11 of Get Log Page.
     *
     * @param bytes bytes to return, a multiple of 4
     * @param lsi Log Specific Identifier, 0 to 65,535
     */
    public static int getLogPageCdw11(long bytes, int lsi) {
        return Bits.with(Bits.with(0, 15, 0, (int) (numdZ(bytes) >>> 16)), 31, 16, lsi);
    }

    /** Composes CDW12 of Get Log Page: Log Page Offset Lower, a multiple of 4 bytes. */
    public static int getLogPageCdw12(long offsetBytes) {
        return (int) offsetBytes;
    }

    /** Composes CDW13 of Get Log Page: Log Page Offset Upper. */
    public static int getLogPageCdw13(long offsetBytes) {
        return (int) (offsetBytes >>> 32);
    }

    /** Returns the Log Page Identifier in CDW10. */
    public static int lid(int cdw10) {
        return Bits.get(cdw10, 7, 0);
    }

    /** Returns the Log Specific Field in CDW10. */
    public static int lsp(int cdw10) {
        return Bits.get(cdw10, 14, 8);
    }

    /** Returns whether Retain Asynchronous Event is set in CDW10. */
    public static boolean rae(int cdw10) {
        return Bits.bit(cdw10, 15);
    }

    /**
     * Returns the number of bytes that CDW10 and CDW11 of Get Log Page request, from NUMDL and
     * NUMDU.
     */
    public static long logPageBytes(int cdw10, int cdw11) {
        long numdZ = ((long) Bits.get(cdw11, 15, 0) << 16) | Bits.get(cdw10, 31, 16);
        return (numdZ + 1) * DWORD_BYTES;
    }

    /** Returns the Log Specific Identifier in CDW11. */
    public static int lsi(int cdw11) {
        return Bits.get(cdw11, 31, 16);
    }

    /** Returns the Log Page Offset in CDW12 and CDW13, in bytes. */
    public static long logPageOffsetBytes(int cdw12, int cdw13) {
        return ((long) cdw13 << 32) | Integer.toUnsignedLong(cdw12);
    }

    private static long numdZ(long bytes) {
        if (bytes <= 0 || bytes % DWORD_BYTES != 0 || bytes / DWORD_BYTES > 1L << 32) {
            throw new IllegalArgumentException(
                    "a log page transfer is 4 bytes to 16 GiB in steps of 4, not " + bytes);
        }
        return bytes / DWORD_BYTES - 1;
    }

    // Features: 5.15 and 5.27; values of the features are in Feature.

    /**
     * Composes CDW10 of Get Features.
     *
     * @param fid feature, from {@link Feature}
     * @param sel such as {@link #SELECT_CURRENT}
     */
    public static int getFeaturesCdw10(int fid, int sel) {
        return Bits.with(Bits.with(0, 7, 0, fid), 10, 8, sel);
    }

    /**
     * Composes CDW10 of Set Features.
     *
     * @param fid feature, from {@link Feature}
     * @param save SV: the value shall survive a power cycle
     */
    public static int setFeaturesCdw10(int fid, boolean save) {
        return Bits.with(0, 7, 0, fid) | (flag(save) << 31);
    }

    /** Returns the Feature Identifier in CDW10 of Get Features and Set Features. */
    public static int fid(int cdw10) {
        return Bits.get(cdw10, 7, 0);
    }

    /** Returns the Select field in CDW10 of Get Features. */
    public static int sel(int cdw10) {
        return Bits.get(cdw10, 10, 8);
    }

    /** Returns whether Save is set in CDW10 of Set Features. */
    public static boolean sv(int cdw10) {
        return Bits.bit(cdw10, 31);
    }

    // Abort: 5.1.

    /** Composes CDW10 of Abort: the submission queue and the identifier of the command to abort. */
    public static int abortCdw10(int sqid, int cid) {
        return Bits.with(Bits.with(0, 15, 0, sqid), 31, 16, cid);
    }

    /** Returns the submission queue in CDW10 of Abort. */
    public static int abortSqid(int cdw10) {
        return Bits.get(cdw10, 15, 0);
    }

    /** Returns the command identifier in CDW10 of Abort. */
    public static int abortCid(int cdw10) {
        return Bits.get(cdw10, 31, 16);
    }

    /** Returns whether dword 0 of Abort's completion says that the command was aborted. */
    public static boolean isAborted(int dw0) {
        return !Bits.bit(dw0, 0);
    }
}
