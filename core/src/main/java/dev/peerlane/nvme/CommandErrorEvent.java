package dev.peerlane.nvme;

import dev.peerlane.spec.Status;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** The JFR event for a completion with an error status. */
@Name("dev.peerlane.CommandError")
@Label("NVMe Command Error")
@Description("A command ended with a status other than 0; a Compare that differs is one, too")
@Category({"Peerlane", "NVMe"})
@StackTrace(false)
final class CommandErrorEvent extends Event {
    @Label("Controller")
    final String locator;

    @Label("Queue")
    final int qid;

    @Label("Status Code Type and Status Code")
    final int code;

    @Label("Do Not Retry")
    final boolean doNotRetry;

    @Label("Meaning")
    final String meaning;

    CommandErrorEvent(String locator, int qid, int status) {
        this.locator = locator;
        this.qid = qid;
        code = Status.code(status);
        doNotRetry = Status.doNotRetry(status);
        meaning = Status.describe(status);
    }
}
