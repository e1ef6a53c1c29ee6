package dev.peerlane.nvme;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Reg;

/**
 * Locates a controller memory buffer, in an order that is right for every version. Since 1.4 the
 * CMB registers read 0 until CMBMSC.CRE is set. Before 1.4 there is no CMBMSC.
 */
final class CmbProbe {
    private static final int PAGE = Bits.PAGE_BYTES;

    private CmbProbe() {}

    /**
     * Disables a window that an earlier user left enabled, and sets CRE, so that CMBLOC and CMBSZ
     * can be read.
     */
    static void show(Registers r, Cap cap) {
        if (!cap.cmbs()) {
            return;
        }
        int cre = new Cmbmsc(0).withCre(true).lowerHalf();
        Cmbmsc found = new Cmbmsc(r.load64LowFirst(Reg.CMBMSC));
        if (found.cmse()) {
            r.store32(Reg.CMBMSC, cre);
            r.load32(Reg.CMBMSC);
        }
        r.store64HighFirst(Reg.CMBMSC, Integer.toUnsignedLong(cre));
        r.load32(Reg.CMBMSC);
    }

    /** The result: a CMB, or the reason why there is none. */
    sealed interface Result {}

    record Found(Bar bar, long offset, long sizeBytes) implements Result {}

    record Absent(CmbAbsence absence) implements Result {}

    /**
     * Locates the CMB.
     *
     * @param registerBytes how many bytes of BAR 0 the registers and the doorbells in use take
     */
    static Result locate(PciDevice device, CmbInfo info, long registerBytes) {
        Cmbsz size = info.cmbsz();
        Vs vs = info.vs();
        int bir = info.cmbloc().bir();
        if (size.sz() == 0 && !info.cap().cmbs()) {
            return absent(
                    CmbAbsence.Reason.NO_CMB,
                    "NVMe %s without a controller memory buffer: CAP.CMBS 0, CMBSZ %08Xh"
                            .formatted(vs, size.raw()));
        }
        if (size.sz() == 0) {
            return absent(
                    CmbAbsence.Reason.SIZE_ZERO,
                    "CAP.CMBS is 1, but CMBSZ reads %08Xh: size 0".formatted(size.raw()));
        }
        if (size.unitBytes() == 0) {
            return absent(
                    CmbAbsence.Reason.UNIT_RESERVED,
                    "CMBSZ %08Xh: unit %d is reserved".formatted(size.raw(), size.szu()));
        }
        if (bir == 1 || bir > 5) {
            return absent(
                    CmbAbsence.Reason.BIR_RESERVED,
                    "CMBLOC %08Xh: BIR %d is reserved".formatted(info.cmbloc().raw(), bir));
        }
        Bar bar;
        try {
            bar = device.bar(bir);
        } catch (PeerlaneException e) {
            return absent(
                    CmbAbsence.Reason.NO_SUCH_BAR,
                    "CMBLOC %08Xh: %s".formatted(info.cmbloc().raw(), e.getMessage()));
        }
        long offset = info.offsetBytes();
        if (bir == 0 && offset < registerBytes) {
            return absent(
                    CmbAbsence.Reason.OVER_REGISTERS,
                    "CMBLOC %08Xh: the controller memory buffer starts at 0x%x of BAR 0, where"
                                    .formatted(info.cmbloc().raw(), offset)
                            + " registers and doorbells are");
        }
        long room = (bar.sizeBytes() - offset) & -PAGE;
        if (room <= 0) {
            return absent(
                    CmbAbsence.Reason.OUTSIDE_BAR,
                    "the controller memory buffer starts at 0x%x of BAR %d, which has 0x%x bytes"
                            .formatted(offset, bir, bar.sizeBytes()));
        }
        return new Found(bar, offset, Math.min(info.sizeBytes(), room));
    }

    private static Result absent(CmbAbsence.Reason reason, String text) {
        return new Absent(new CmbAbsence(reason, text));
    }
}
