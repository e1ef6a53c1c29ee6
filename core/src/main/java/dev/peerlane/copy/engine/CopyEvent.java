package dev.peerlane.copy.engine;

import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Receipt;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * The flight recorder event of a copy with its verification. Use it only if {@link
 * dev.peerlane.hal.parts.FlightRecordings#areOn}.
 */
@Name("dev.peerlane.Copy")
@Label("Copy")
@Description("A copy from one endpoint to another, and its verification")
@Category("Peerlane")
@StackTrace(false)
final class CopyEvent extends Event {
    @Label("Source")
    final String source;

    @Label("Target")
    final String target;

    @Label("Memory")
    final String memory;

    @Label("Fence")
    final String fence;

    @Label("Verification")
    final String verify;

    @Label("Bytes Copied")
    @DataAmount
    long bytesCopied;

    @Label("Result")
    @Nullable String result;

    @Label("Error Code")
    @Nullable String error;

    private CopyEvent(CopyPlan plan) {
        source = plan.request().source().name();
        target = plan.request().target().name();
        memory = plan.kind().label();
        fence = plan.fence();
        verify = plan.verify().label();
    }

    /** Creates an event and starts its time. */
    static CopyEvent begin(CopyPlan plan) {
        CopyEvent event = new CopyEvent(plan);
        event.begin();
        return event;
    }

    /** Ends the event with the outcome of the copy. */
    void over(Receipt receipt) {
        bytesCopied = receipt.bytesCopied();
        result = receipt.result();
        Receipt.Failure failure = receipt.error();
        error = failure == null ? null : failure.code();
        commit();
    }
}
