package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.wire.Reg;

/**
 * Accesses a BAR whose mapping the kernel has revoked, as it does when memory decoding is turned
 * off. Each access is a SIGBUS, in the interpreter and in compiled code.
 */
final class RevokedMapping {
    private static final int TIMES = 3_000;
    private static final int DOORBELL = 0x1400;

    private RevokedMapping() {}

    static String run(String serial) {
        try (Fabric fabric = Ssds.fabric(serial);
                PciDevice device = fabric.open(Ssds.locator(serial))) {
            Bar registers = device.bar(0);
            Doorbell doorbell = registers.doorbell(DOORBELL);
            int version = registers.load32(Reg.VS);
            check(version != -1, "VS reads as all ones while memory decoding is on");
            int command = device.config().load16(ConfigSpace.COMMAND);
            device.config().store16(ConfigSpace.COMMAND, command & ~ConfigSpace.COMMAND_MEMORY);
            for (int i = 0; i < TIMES; i++) {
                same(-1, registers.load32(Reg.VS), "VS at load " + i);
                same(-1L, registers.load64(Reg.CAP), "CAP at load " + i);
                ringInTheVoid(doorbell, i);
                fault(() -> registers.store32(DOORBELL, 0));
                fault(() -> registers.fill(DOORBELL, 16, 0));
            }
            device.config().store16(ConfigSpace.COMMAND, command | ConfigSpace.COMMAND_MEMORY);
            same(version, registers.load32(Reg.VS), "VS after memory decoding was on again");
        }
        return TIMES + " times each";
    }

    /** Rings a doorbell. It is a single store, so its fault may surface in the caller. */
    private static void ringInTheVoid(Doorbell doorbell, int value) {
        try {
            doorbell.ring(value);
            // forces the fault to surface here
            check(!Thread.holdsLock(doorbell), "who took this lock?");
        } catch (InternalError e) {
            // reported in time
        }
    }

    private static void fault(Runnable access) {
        try {
            access.run();
        } catch (PeerlaneException e) {
            same("device-memory-fault", e.code(), "the code of the fault");
            return;
        }
        throw new AssertionError("no error for a store to a revoked mapping");
    }
}
