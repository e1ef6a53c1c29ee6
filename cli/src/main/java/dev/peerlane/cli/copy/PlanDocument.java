package dev.peerlane.cli.copy;

import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON document of a plan. */
record PlanDocument(
        String schema,
        String result,
        Receipt.Side source,
        Receipt.Side target,
        PlanBuffer buffer,
        List<Leg> route,
        String fence,
        long bytes,
        PlanVerification verify,
        List<String> reasons,
        List<String> notes) {
    static final String SCHEMA = "peerlane.plan/1";

    /** The memory that would carry the data. */
    record PlanBuffer(String kind, @Nullable String device, @Nullable Long freeBytes) {}

    /** The verification that would follow. */
    record PlanVerification(String method, @Nullable String device) {}

    static PlanDocument of(CopyPlan plan) {
        BufferCandidate buffer = plan.buffer();
        BufferCandidate check = plan.verifyBuffer();
        return new PlanDocument(
                SCHEMA,
                "planned",
                Sides.source(plan.request()),
                Sides.target(plan.request()),
                new PlanBuffer(
                        plan.kind().label(),
                        buffer == null ? null : buffer.locator(),
                        buffer == null ? null : buffer.memory().largestFreeBytes()),
                plan.legs(),
                plan.fence(),
                plan.request().bytes(),
                new PlanVerification(plan.verify().label(), check == null ? null : check.locator()),
                plan.reasons(),
                plan.announcements());
    }
}
