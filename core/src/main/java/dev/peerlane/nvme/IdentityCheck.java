package dev.peerlane.nvme;

import dev.peerlane.Bits;
import dev.peerlane.spec.IdentifyController;

/** Checks Identify Controller data before the driver relies on it. */
final class IdentityCheck {
    /** All critical warnings of the SMART log that trigger an event. */
    static final int CRITICAL_WARNINGS = 0x1f;

    private static final int MAX_MDTS = 31;
    private static final int SQE_SHIFT = 6;
    private static final int CQE_SHIFT = 4;
    private static final int TYPE_NOT_REPORTED = 0;
    private static final int TYPE_IO = 1;

    private IdentityCheck() {}

    static void check(String locator, IdentifyController id, int minPageBytes) {
        if (id.vid() == 0 && id.nn() == 0 && id.sn().isEmpty()) {
            throw ControllerFault.nonsense(
                    locator,
                    "Identify Controller succeeded, but its 4096 bytes did not arrive (they are"
                            + " zero); DMA to host memory may be blocked");
        }
        if (id.vid() == 0xffff) {
            throw ControllerFault.nonsense(locator, "Identify Controller is all ones");
        }
        if (id.mdts() > MAX_MDTS) {
            throw ControllerFault.nonsense(
                    locator,
                    "MDTS %d: transfers of %d * 2^%d bytes"
                            .formatted(id.mdts(), minPageBytes, id.mdts()));
        }
        requireSize(locator, "SQES", id.sqes(), SQE_SHIFT);
        requireSize(locator, "CQES", id.cqes(), CQE_SHIFT);
        if (id.cntrltype() != TYPE_NOT_REPORTED && id.cntrltype() != TYPE_IO) {
            throw ControllerFault.unsupported(
                    locator,
                    "controller type %d has no I/O".formatted(id.cntrltype()),
                    "use an I/O controller of the same NVM subsystem");
        }
    }

    private static void requireSize(String locator, String name, int raw, int wanted) {
        int required = Bits.get(raw, 3, 0);
        int maximum = Bits.get(raw, 7, 4);
        if (required > wanted || maximum < wanted) {
            throw ControllerFault.nonsense(
                    locator,
                    "%s %02Xh does not allow queue entries of %d bytes"
                            .formatted(name, raw, 1 << wanted));
        }
    }
}
