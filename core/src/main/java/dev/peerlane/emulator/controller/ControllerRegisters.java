package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Reg;

/**
 * The registers and doorbells at the start of BAR 0 (NVMe Base 2.0, 3.1.3; NVMe over PCIe 1.0,
 * 3.1.2). A 64-bit register can be accessed with 8 bytes at once or 4 bytes twice.
 */
final class ControllerRegisters implements RegisterBlock {
    private static final int MPS_MAX = 4;
    private static final int TIMEOUT_UNITS = 20;
    private static final long LOW = 0xffff_ffffL;

    /** What the registers require of their controller. */
    interface Host {
        /** Returns CSTS. */
        int csts();

        /** Called when CC was written. */
        void configured(int before, int after);

        /** Called when a store of the host has arrived. */
        void stored(long offset, long value, int width);

        /** Returns the number of I/O commands in flight. */
        int commandsInFlight();

        /** Called when the host violates the specification. */
        void violation(String what);
    }

    private final Host host;
    private final Cap cap;
    private final Vs version;
    private final HostSettings settings;
    private final Cmb cmb;
    private final Doorbells doorbells;
    private final int strideShift;
    private int intms;
    private int aqa;
    private long asq;
    private long acq;

    ControllerRegisters(
            Host host,
            DriveModel drive,
            boolean otherSets,
            HostSettings settings,
            Cmb cmb,
            Doorbells doorbells) {
        this.host = host;
        this.cap = capabilities(drive, otherSets, cmb);
        this.version = drive.version();
        this.settings = settings;
        this.cmb = cmb;
        this.doorbells = doorbells;
        this.strideShift = 2 + cap.dstrd();
    }

    private static Cap capabilities(DriveModel drive, boolean otherSets, Cmb cmb) {
        return new Cap(0)
                .withMqesZ(drive.maxQueueEntries() - 1)
                .withCqr(true)
                .withTo(TIMEOUT_UNITS)
                .withDstrd(drive.doorbellStride())
                .withCss(Cap.CSS_NVM | (otherSets ? Cap.CSS_IOCS : 0))
                .withMpsmax(MPS_MAX)
                .withCmbs(cmb.hasSpaceControl());
    }

    Cap cap() {
        return cap;
    }

    int cc() {
        return settings.cc();
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

    /** Applies a Function Level Reset: all registers return to their defaults. */
    void functionReset() {
        intms = 0;
        settings.store(0);
        aqa = 0;
        asq = 0;
        acq = 0;
        cmb.functionReset();
    }

    /** Applies a Controller Reset: CC.EN becomes 0. */
    void disable() {
        configure(new Cc(cc()).withEn(false).raw());
    }

    private void configure(int value) {
        int before = cc();
        settings.store(value);
        host.configured(before, value);
    }

    @Override
    public int load32(long offset) {
        int at = (int) offset;
        return switch (at) {
            case Reg.CAP -> (int) cap.raw();
            case Reg.CAP + 4 -> (int) (cap.raw() >>> 32);
            case Reg.VS -> version.raw();
            case Reg.INTMS, Reg.INTMC -> intms;
            case Reg.CC -> cc();
            case Reg.CSTS -> host.csts();
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
        host.stored(offset, Integer.toUnsignedLong(value), 4);
        put32(offset, value);
    }

    private void put32(long offset, int value) {
        if (offset >= Reg.DOORBELLS) {
            doorbell(offset, value);
            return;
        }
        switch ((int) offset) {
            case Reg.INTMS -> intms |= value;
            case Reg.INTMC -> intms &= ~value;
            case Reg.CC -> configure(value & 0x01ff_fff1);
            case Reg.AQA -> {
                notWhileEnabled("AQA");
                aqa = value & 0x0fff_0fff;
            }
            case Reg.ASQ -> asq((asq & ~LOW) | (value & LOW));
            case Reg.ASQ + 4 -> asq((asq & LOW) | ((long) value << 32));
            case Reg.ACQ -> acq((acq & ~LOW) | (value & LOW));
            case Reg.ACQ + 4 -> acq((acq & LOW) | ((long) value << 32));
            case Reg.CMBMSC -> spaceControl((cmb.spaceControl() & ~LOW) | (value & LOW));
            case Reg.CMBMSC + 4 -> spaceControl((cmb.spaceControl() & LOW) | ((long) value << 32));
            // CSTS.NSSRO is never set, because NVM subsystem reset is not supported
            case Reg.CSTS, Reg.NSSR -> {}
            default -> host.violation("register %xh is read only or reserved".formatted(offset));
        }
    }

    @Override
    public void store64(long offset, long value) {
        host.stored(offset, value, 8);
        switch ((int) offset) {
            case Reg.ASQ -> asq(value);
            case Reg.ACQ -> acq(value);
            case Reg.CMBMSC -> spaceControl(value);
            default -> {
                host.violation("8 bytes were stored at %xh, a register of 4".formatted(offset));
                put32(offset, (int) value);
                put32(offset + 4, (int) (value >>> 32));
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

    private void spaceControl(long value) {
        if (!cmb.hasSpaceControl()) {
            host.violation("CMBMSC was written though CAP.CMBS is 0");
            return;
        }
        Cmbmsc before = new Cmbmsc(cmb.spaceControl());
        Cmbmsc after = new Cmbmsc(value);
        if (before.cmse() && after.cmse() && before.cba() != after.cba()) {
            host.violation("CMBMSC.CBA was changed while CMSE is 1");
        }
        if (before.cmse() && host.commandsInFlight() > 0) {
            host.violation("CMBMSC was written with commands in flight");
        }
        cmb.storeSpaceControl(value);
    }

    private void notWhileEnabled(String register) {
        if ((cc() & 1) != 0) {
            host.violation(register + " was written while CC.EN is 1");
        }
    }

    private void doorbell(long offset, int value) {
        long from = offset - Reg.DOORBELLS;
        long index = from >>> strideShift;
        if (index << strideShift != from) {
            doorbells.invalid(
                    AsyncEvent.ERROR_INVALID_DOORBELL,
                    "%xh is between two doorbells".formatted(offset));
            return;
        }
        doorbells.written((int) (index >>> 1), (index & 1) != 0, value);
    }
}
