package dev.peerlane.spec.wire;

import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Vs;

/**
 * Byte offsets of the controller registers in BAR0 (NVMe Base 2.0, 3.1.3).
 *
 * <p>Widths: 8 bytes for CAP, ASQ, ACQ, BPMBL and CMBMSC, 4 bytes for all others.
 */
public final class Reg {
    /** Controller Capabilities, 8 bytes ({@link Cap}). */
    public static final int CAP = 0x00;

    /** Version ({@link Vs}). */
    public static final int VS = 0x08;

    /** Interrupt Mask Set, for pin based and MSI interrupts. */
    public static final int INTMS = 0x0C;

    /** Interrupt Mask Clear, for pin based and MSI interrupts. */
    public static final int INTMC = 0x10;

    /** Controller Configuration ({@link Cc}). */
    public static final int CC = 0x14;

    /** Controller Status ({@link Csts}). */
    public static final int CSTS = 0x1C;

    /** NVM Subsystem Reset: takes effect when {@link #NSSR_RESET} is written. */
    public static final int NSSR = 0x20;

    /** Admin Queue Attributes ({@link Aqa}). */
    public static final int AQA = 0x24;

    /** Admin Submission Queue Base Address, 8 bytes, page aligned. */
    public static final int ASQ = 0x28;

    /** Admin Completion Queue Base Address, 8 bytes, page aligned. */
    public static final int ACQ = 0x30;

    /** Controller Memory Buffer Location ({@link Cmbloc}). */
    public static final int CMBLOC = 0x38;

    /** Controller Memory Buffer Size ({@link Cmbsz}). */
    public static final int CMBSZ = 0x3C;

    /** Boot Partition Information. */
    public static final int BPINFO = 0x40;

    /** Boot Partition Read Select. */
    public static final int BPRSEL = 0x44;

    /** Boot Partition Memory Buffer Location, 8 bytes. */
    public static final int BPMBL = 0x48;

    /** Controller Memory Buffer Memory Space Control, 8 bytes ({@link Cmbmsc}). */
    public static final int CMBMSC = 0x50;

    /** Controller Memory Buffer Status ({@link Cmbsts}). */
    public static final int CMBSTS = 0x58;

    /** Controller Memory Buffer Elasticity Buffer Size ({@link Cmbebs}). */
    public static final int CMBEBS = 0x5C;

    /** Controller Memory Buffer Sustained Write Throughput ({@link Cmbswtp}). */
    public static final int CMBSWTP = 0x60;

    /** NVM Subsystem Shutdown. */
    public static final int NSSD = 0x64;

    /** Controller Ready Timeouts ({@link Crto}). */
    public static final int CRTO = 0x68;

    /** Persistent Memory Region Capabilities ({@link Pmrcap}). */
    public static final int PMRCAP = 0xE00;

    /** Persistent Memory Region Control ({@link Pmrctl}). */
    public static final int PMRCTL = 0xE04;

    /** Persistent Memory Region Status ({@link Pmrsts}). */
    public static final int PMRSTS = 0xE08;

    /** Persistent Memory Region Elasticity Buffer Size ({@link Pmrebs}). */
    public static final int PMREBS = 0xE0C;

    /** Persistent Memory Region Sustained Write Throughput ({@link Pmrswtp}). */
    public static final int PMRSWTP = 0xE10;

    /** Persistent Memory Region Memory Space Control, lower half ({@link Pmrmsc}). */
    public static final int PMRMSCL = 0xE14;

    /** Persistent Memory Region Memory Space Control, upper half ({@link Pmrmsc}). */
    public static final int PMRMSCU = 0xE18;

    /** First doorbell: the tail of submission queue 0 (NVMe over PCIe 1.0, 3.1.2). */
    public static final int DOORBELLS = 0x1000;

    /** The value "NVMe" that makes a write of {@link #NSSR} reset the NVM subsystem. */
    public static final int NSSR_RESET = 0x4E56_4D65;

    private Reg() {}

    /**
     * Returns the offset of a submission queue's tail doorbell (NVMe over PCIe 1.0, 3.1.2.1).
     *
     * @param qid queue identifier, 0 for the admin queue
     * @param dstrd raw {@link Cap#dstrd()}. The largest possible offset, of queue 65,535 with
     *     stride 15, exceeds an int, so the arithmetic is checked
     * @return byte offset in BAR0
     */
    public static int sqTailDoorbell(int qid, int dstrd) {
        return doorbell(2L * qid, dstrd);
    }

    /**
     * Returns the offset of a completion queue's head doorbell (NVMe over PCIe 1.0, 3.1.2.2).
     *
     * @param qid queue identifier, 0 for the admin queue
     * @param dstrd raw {@link Cap#dstrd()}
     * @return byte offset in BAR0
     */
    public static int cqHeadDoorbell(int qid, int dstrd) {
        return doorbell(2L * qid + 1, dstrd);
    }

    private static int doorbell(long index, int dstrd) {
        return Math.toIntExact(DOORBELLS + index * (4L << dstrd));
    }
}
