package dev.peerlane.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.Receipt;
import java.lang.reflect.RecordComponent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** JSON documents of copies and errors. */
final class Documents {
    static final String ERROR_SCHEMA = "peerlane.error/1";
    static final String PLAN_SCHEMA = "peerlane.plan/1";

    private Documents() {}

    /** An error of a command that has no receipt. */
    record ErrorDocument(String schema, int exitStatus, Receipt.Failure error) {
        static ErrorDocument of(PeerlaneException e) {
            return new ErrorDocument(ERROR_SCHEMA, ExitStatus.of(e), failure(e));
        }
    }

    /** What a copy would do. */
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
        /** The memory that would carry the data. */
        record PlanBuffer(String kind, @Nullable String device, @Nullable Long freeBytes) {}

        /** The check that would follow. */
        record PlanVerification(String method, @Nullable String device) {}

        static PlanDocument of(CopyPlan plan) {
            BufferCandidate buffer = plan.buffer();
            BufferCandidate check = plan.verifyBuffer();
            return new PlanDocument(
                    PLAN_SCHEMA,
                    "planned",
                    sourceSide(plan.request()),
                    targetSide(plan.request()),
                    new PlanBuffer(
                            plan.kind().label(),
                            buffer == null ? null : buffer.locator(),
                            buffer == null ? null : buffer.memory().largestFreeBytes()),
                    plan.legs(),
                    plan.fence(),
                    plan.request().bytes(),
                    new PlanVerification(
                            plan.verify().label(), check == null ? null : check.locator()),
                    plan.reasons(),
                    plan.announcements());
        }
    }

    static Receipt.Side sourceSide(CopyRequest r) {
        return side(r.source(), r.sourceLba(), r.bytes());
    }

    static Receipt.Side targetSide(CopyRequest r) {
        return side(r.target(), r.targetLba(), r.bytes());
    }

    private static Receipt.Side side(Endpoint end, long lba, long bytes) {
        int blockBytes = end.port().limits().blockBytes();
        return new Receipt.Side(
                end.locator(),
                end.serial(),
                end.model(),
                end.nsid(),
                lba,
                bytes / blockBytes,
                blockBytes);
    }

    static Receipt.Failure failure(PeerlaneException e) {
        return new Receipt.Failure(
                e.code(), String.valueOf(e.getMessage()), Remedies.of(e), null, null, null);
    }

    /**
     * A receipt whose error has the remedy in the words of this program.
     *
     * @param failure with what the command ends, where it fails
     */
    static ObjectNode receipt(Receipt receipt, @Nullable PeerlaneException failure) {
        ObjectNode tree = Json.tree(receipt);
        if (failure != null && tree.get("error") instanceof ObjectNode error) {
            error.put("remedy", Remedies.of(failure));
        }
        return tree;
    }

    /**
     * The receipt of a copy that did not begin: every field of a receipt, null where nothing was
     * found out.
     *
     * @param plan the plan, where it came that far
     */
    static ObjectNode refusal(
            @Nullable Extent source,
            @Nullable Extent target,
            @Nullable PlanDocument plan,
            PeerlaneException why) {
        ObjectNode receipt = Json.object();
        for (RecordComponent component : Receipt.class.getRecordComponents()) {
            receipt.putNull(component.getName());
        }
        receipt.put("schema", Receipt.SCHEMA);
        receipt.put("result", "refused");
        receipt.put("bytesCopied", 0);
        receipt.putArray("copied");
        receipt.putArray("route");
        ObjectNode verify = receipt.putObject("verify");
        if (plan == null) {
            asked(receipt, "source", source);
            asked(receipt, "target", target);
            verify.putNull("method");
            receipt.putArray("notes");
        } else {
            ObjectNode planned = Json.tree(plan);
            for (String same : List.of("source", "target", "buffer", "route", "fence", "notes")) {
                receipt.set(same, planned.get(same));
            }
            verify.put("method", plan.verify().method());
        }
        verify.put("result", "not run");
        receipt.set("error", Json.tree(failure(why)));
        return receipt;
    }

    private static void asked(ObjectNode receipt, String side, @Nullable Extent extent) {
        if (extent == null) {
            return;
        }
        ObjectNode named = receipt.putObject(side);
        for (RecordComponent component : Receipt.Side.class.getRecordComponents()) {
            named.putNull(component.getName());
        }
        named.put("locator", extent.device());
        named.put("nsid", extent.nsid());
        named.put("slba", extent.slba());
        named.put("blocks", extent.blocks());
    }
}
