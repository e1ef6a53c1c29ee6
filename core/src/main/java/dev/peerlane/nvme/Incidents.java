package dev.peerlane.nvme;

import dev.peerlane.hal.parts.FlightRecordings;
import dev.peerlane.spec.Status;
import java.lang.System.Logger.Level;

/**
 * Reports failed commands and controllers to flight recordings and to the log. Creates no event
 * while nothing records.
 */
final class Incidents {
    private Incidents() {}

    /** Loaded only if needed: finding a logger takes as long as parsing the program's arguments. */
    private static final class Log {
        static final System.Logger NVME = System.getLogger("dev.peerlane.nvme");
    }

    /**
     * Reports a completion with an error status. It is not logged if it is a Compare whose data
     * differ.
     */
    static void command(String locator, int qid, int status) {
        if (FlightRecordings.areOn()) {
            new CommandErrorEvent(locator, qid, status).commit();
        }
        if (Status.code(status) != Status.COMPARE_FAILURE) {
            Log.NVME.log(
                    Level.DEBUG,
                    () ->
                            "%s: a command of queue %d ended with %s"
                                    .formatted(locator, qid, Status.describe(status)));
        }
    }

    /**
     * Reports a controller that takes no more commands, once, and only if the driver did not stop
     * it itself.
     */
    static void fault(ControllerFault why) {
        if (!why.isNews()) {
            return;
        }
        if (FlightRecordings.areOn()) {
            new ControllerFaultEvent(why).commit();
        }
        Log.NVME.log(Level.WARNING, why.getMessage());
    }
}
