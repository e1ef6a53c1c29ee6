package dev.peerlane.nvme;

import dev.peerlane.hal.parts.FlightRecordings;
import dev.peerlane.spec.Status;
import java.lang.System.Logger.Level;

/**
 * Tells flight recordings and the log of commands and controllers that failed. While nobody records
 * no event is made.
 */
final class Incidents {
    private Incidents() {}

    /** Finding a logger takes a start as long as it takes to read the arguments: only if needed. */
    private static final class Log {
        static final System.Logger NVME = System.getLogger("dev.peerlane.nvme");
    }

    /** Tells of a completion with an error status; the log, unless a Compare found a difference. */
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
     * Tells of a controller that takes no more commands, once, and not if the driver stopped it.
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
