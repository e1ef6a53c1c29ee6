package dev.peerlane.cli.copy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.Json;
import dev.peerlane.cli.shared.Remedies;
import dev.peerlane.copy.Receipt;
import java.lang.reflect.RecordComponent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Creates the JSON receipt of a copy that succeeded, failed or did not begin. */
public final class ReceiptDocument {
    private ReceiptDocument() {}

    /**
     * Returns a receipt whose error has the program's remedy.
     *
     * @param failure the error with which the command ends, or null
     */
    public static ObjectNode of(Receipt receipt, @Nullable PeerlaneException failure) {
        ObjectNode tree = Json.tree(receipt);
        if (failure != null && tree.get("error") instanceof ObjectNode error) {
            error.put("remedy", Remedies.of(failure));
        }
        return tree;
    }

    /**
     * Returns the receipt of a copy that did not begin. It has every field of a receipt; unknown
     * values are null.
     *
     * @param plan the plan, or null if planning did not finish
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
        receipt.set("error", Json.tree(ErrorDocument.failure(why)));
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

    /** Returns the receipt of a command that failed before it knew what to copy. */
    public static ObjectNode refusal(PeerlaneException why) {
        return refusal(null, null, null, why);
    }

    /** Returns the receipt of a copy that did not begin, of which only the two sides are known. */
    public static ObjectNode refusal(Extent source, Extent target, PeerlaneException why) {
        return refusal(source, target, null, why);
    }

    /** Returns the receipt of a command that a bug ended; what was copied is unknown. */
    public static ObjectNode bug(PeerlaneException why) {
        return refusal(why).put("result", "failed").putNull("bytesCopied");
    }
}
