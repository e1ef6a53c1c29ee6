package dev.peerlane.emulator;

import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Cc;
import dev.peerlane.spec.Reg;

/**
 * The registers and doorbells at the start of BAR 0 (NVMe Base 2.0, 3.1.3; NVMe over PCIe 1.0,
 * 3.1.2). A 64-bit register takes one access of 8 bytes or two of 4.
 */
final class Registers implements RegisterBlock {
    private static final long LOW = 0xffff_ffffL;

    private final EmulatedController controller;
    private final Cmb cmb;
    private final Cap cap;
    private final int strideShift;
    private int intms;
    private int cc;
    private int aqa;
    private long asq;
    private long acq;

    Registers(EmulatedController controller, Cmb cmb, Cap cap) {
        this.controller = controller;
        this.cmb = cmb;
        this.cap = cap;
        this.strideShift = 2 + cap.dstrd();
    }

    Cap cap() {
        return cap;
    }

    int cc() {
        return cc;
    }

    int aqa() {
        return aqa;
    }

    long asq() {
        return asq;
    }

    long acq() {
        return acq;
    }

    /** Function Level Reset: everything goes back to its default. */
    void functionReset() {
        intms = 0;
        cc = 0;
        aqa = 0;
        asq = 0;
        acq = 0;
        cmb.functionReset();
    }

    /** Controller Reset: CC.EN becomes 0. */
    void disable() {
        int before = cc;
        cc = new Cc(cc).withEn(false).raw();
        controller.configured(before, cc);
    }

    @Override
    public int load32(long offset) {
        int at = (int) offset;
        return switch (at) {
            case Reg.CAP -> (int) cap.raw();
            case Reg.CAP + 4 -> (int) (cap.raw() >>> 32);
            case Reg.VS -> controller.version().raw();
            case Reg.INTMS, Reg.INTMC -> intms;
            case Reg.CC -> cc;
            case Reg.CSTS -> controller.csts();
            case Reg.AQA -> aqa;
            case Reg.ASQ -> (int) asq;
            case Reg.ASQ + 4 -> (int) (asq >>> 32);
            case Reg.ACQ -> (int) acq;
            case Reg.ACQ + 4 -> (int) (acq >>> 32);
            case Reg.CMBLOC, Reg.CMBSZ, Reg.CMBMSC, Reg.CMBMSC + 4 -> cmb.load32(at);
            case Reg.CMBSTS, Reg.CMBEBS, Reg.CMBSWTP -> cmb.load32(at);
            default -> 0;
        };
    }

    @Override
    public long load64(long offset) {
        return (load32(offset) & LOW) | ((long) load32(offset + 4) << 32);
    }

    @Override
    public void store32(long offset, int value) {
        if (offset >= Reg.DOORBELLS) {
            doorbell(offset, value);
            return;
        }
        switch ((int) offset) {
            case Reg.INTMS -> intms |= value;
            case Reg.INTMC -> intms &= ~value;
            case Reg.CC -> {
                int before = cc;
                cc = value & 0x01ff_fff1;
                controller.configured(before, cc);
            }
            case Reg.AQA -> {
                notWhileEnabled("AQA");
                aqa = value & 0x0fff_0fff;
            }
            case Reg.ASQ -> asq((asq & ~LOW) | (value & LOW));
            case Reg.ASQ + 4 -> asq((asq & LOW) | ((long) value << 32));
            case Reg.ACQ -> acq((acq & ~LOW) | (value & LOW));
            case Reg.ACQ + 4 -> acq((acq & LOW) | ((long) value << 32));
            case Reg.CMBMSC ->
                    controller.spaceControlWritten((cmb.spaceControl() & ~LOW) | (value & LOW));
            case Reg.CMBMSC + 4 ->
                    controller.spaceControlWritten(
                            (cmb.spaceControl() & LOW) | ((long) value << 32));
            // CSTS.NSSRO is never set, and there is no NVM subsystem reset
            case Reg.CSTS, Reg.NSSR -> {}
            default ->
                    controller.violation("register %xh is read only or reserved".formatted(offset));
        }
    }

    @Override
    public void store64(long offset, long value) {
        switch ((int) offset) {
            case Reg.ASQ -> asq(value);
            case Reg.ACQ -> acq(value);
            case Reg.CMBMSC -> controller.spaceControlWritten(value);
            default -> {
                controller.violation(
                        "8 bytes were stored at %xh, a register of 4".formatted(offset));
                store32(offset, (int) value);
                store32(offset + 4, (int) (value >>> 32));
            }
        }
    }

    private void asq(long value) {
        notWhileEnabled("ASQ");
        asq = value & ~0xfffL;
    }

    private void acq(long value) {
        notWhileEnabled("ACQ");
        acq = value & ~0xfffL;
    }

    private void notWhileEnabled(String register) {
        if ((cc & 1) != 0) {
            controller.violation(register + " was written while CC.EN is 1");
        }
    }

    private void doorbell(long offset, int value) {
        long from = offset - Reg.DOORBELLS;
        long index = from >>> strideShift;
        if (index << strideShift != from) {
            controller.badDoorbell(
                    AsyncEvent.ERROR_INVALID_DOORBELL,
                    "%xh is between two doorbells".formatted(offset));
            return;
        }
        controller.doorbell((int) (index >>> 1), (index & 1) != 0, value);
    }
}
