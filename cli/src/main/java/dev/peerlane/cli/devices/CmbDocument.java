package dev.peerlane.cli.devices;

import dev.peerlane.PeerlaneException;
import dev.peerlane.nvme.CmbField;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.spec.wire.Cmbsz;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code cmb}: a controller's memory buffer and persistent memory region. */
record CmbDocument(
        String schema,
        String locator,
        String address,
        boolean usable,
        @Nullable String absence,
        @Nullable Long sizeBytes,
        @Nullable Long declaredBytes,
        @Nullable Integer bar,
        @Nullable Long barOffset,
        @Nullable String busAddress,
        @Nullable Holds holds,
        List<CmbField> fields) {
    static final String SCHEMA = "peerlane.cmb/1";

    /**
     * Reads the CMB. Enables it first, so that its address is known and the controller can refuse
     * it.
     */
    static CmbDocument of(Controller c) {
        ControllerMemoryBuffer cmb = c.cmb().orElse(null);
        if (cmb == null) {
            String why = c.cmbAbsence().orElse(null);
            return new CmbDocument(
                    SCHEMA,
                    c.locator(),
                    c.device().bdf().toString(),
                    false,
                    why,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    c.cmbFields());
        }
        String refused = null;
        try {
            cmb.enable(c.dma());
        } catch (PeerlaneException e) {
            refused = e.getMessage();
        }
        List<CmbField> fields = cmb.describe();
        Cmbsz cmbsz = new Cmbsz((int) CmbField.raw(fields, "CMBSZ"));
        return new CmbDocument(
                SCHEMA,
                c.locator(),
                c.device().bdf().toString(),
                refused == null,
                refused,
                cmb.sizeBytes(),
                cmbsz.sizeBytes(),
                cmb.barIndex(),
                cmb.barOffset(),
                refused == null ? "0x%x".formatted(cmb.busAddress()) : null,
                Holds.of(cmbsz),
                fields);
    }

    /** What the owner may place in its own CMB. For peers it is memory like any other. */
    record Holds(
            boolean submissionQueues,
            boolean completionQueues,
            boolean lists,
            boolean readData,
            boolean writeData) {
        static Holds of(Cmbsz cmbsz) {
            return new Holds(cmbsz.sqs(), cmbsz.cqs(), cmbsz.lists(), cmbsz.rds(), cmbsz.wds());
        }

        /** Returns a description for people. */
        String words() {
            List<String> words = new ArrayList<>();
            if (readData) {
                words.add("data of its Reads (RDS)");
            }
            if (writeData) {
                words.add("data of its Writes (WDS)");
            }
            if (lists) {
                words.add("PRP and SGL lists (LISTS)");
            }
            if (submissionQueues) {
                words.add("submission queues (SQS)");
            }
            if (completionQueues) {
                words.add("completion queues (CQS)");
            }
            return words.isEmpty() ? "nothing of its owner" : String.join(", ", words);
        }
    }
}
