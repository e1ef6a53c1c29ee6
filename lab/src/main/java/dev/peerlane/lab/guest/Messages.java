package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;

import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.vfio.Interrupts;
import dev.peerlane.vfio.VfioDevice;
import dev.peerlane.vfio.VfioFabric;

/** Tests MSI-X messages of a controller, through the IOMMU's remapping into an event counter. */
final class Messages {
    private static final int ADMIN_VECTOR =
            0; // the vector of the admin completion queue, NVMe Base 2.0, 3.1.3.10
    private static final long LIMIT_NANOS = 20_000_000_000L;

    private Messages() {}

    /** Enables interrupts of the admin queue while the driver polls it, then disables them. */
    static String arrive(String serial) {
        try (VfioFabric fabric = (VfioFabric) Ssds.fabric(serial);
                VfioDevice device = fabric.openDevice(Ssds.locator(serial));
                Interrupts interrupts = device.interrupts(2)) {
            check(!interrupts.await(ADMIN_VECTOR, 0), "an interrupt before any command");
            try (Controller controller =
                    Controller.open(
                            device, fabric.dma(), fabric.clock(), ControllerOptions.DEFAULTS)) {
                check(interrupts.await(ADMIN_VECTOR, LIMIT_NANOS), "no interrupt of bring-up");
                interrupts.await(ADMIN_VECTOR, 0);
                check(controller.activeNamespaces().length == 1, "the drive has one namespace");
                check(interrupts.await(ADMIN_VECTOR, LIMIT_NANOS), "no interrupt of a command");
                check(!interrupts.await(1, 0), "an interrupt of a queue that is not there");
            }
            return interrupts.vectors() + " vectors";
        }
    }
}
