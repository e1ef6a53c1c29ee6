package dev.peerlane.nvme;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** The JFR event for a controller that was found to be gone or to have failed. */
@Name("dev.peerlane.ControllerFault")
@Label("NVMe Controller Fault")
@Description("A controller is gone, has failed, was reset by others, or answered nonsense")
@Category({"Peerlane", "NVMe"})
final class ControllerFaultEvent extends Event {
    @Label("Controller")
    final String locator;

    @Label("Code")
    final String code;

    @Label("Message")
    final String message;

    ControllerFaultEvent(ControllerFault fault) {
        locator = fault.locator();
        code = fault.code();
        message = String.valueOf(fault.getMessage());
    }
}
