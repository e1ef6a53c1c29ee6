package dev.peerlane.cli.devices;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.CmbAbsence;
import dev.peerlane.nvme.CmbField;
import dev.peerlane.nvme.CmbInfo;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.spec.CommandSet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code list} and {@code cmb} find, as documents. */
final class Inventory {
    static final String LIST_SCHEMA = "peerlane.list/1";
    static final String CMB_SCHEMA = "peerlane.cmb/1";

    private Inventory() {}

    /** All NVMe functions of a fabric. */
    record Devices(String schema, String fabric, List<Device> devices) {}

    /** One function; where it can't be brought up, {@code error} says why and the rest is null. */
    record Device(
            String locator,
            @Nullable String address,
            @Nullable String model,
            @Nullable String serial,
            @Nullable String firmware,
            @Nullable String version,
            List<Space> namespaces,
            @Nullable Long cmbBytes,
            @Nullable String cmbAbsence,
            Receipt.@Nullable Failure error) {
        static Device of(Controller c) {
            List<Space> spaces = new ArrayList<>();
            c.namespaces().forEach(n -> spaces.add(Space.of(n)));
            return new Device(
                    c.locator(),
                    c.device().bdf().toString(),
                    c.identity().mn(),
                    c.identity().sn(),
                    c.identity().fr(),
                    c.vs().toString(),
                    spaces,
                    c.cmb().map(ControllerMemoryBuffer::sizeBytes).orElse(null),
                    c.cmbAbsence().map(CmbAbsence::text).orElse(null),
                    null);
        }

        static Device failed(String locator, PeerlaneException why) {
            return new Device(
                    locator,
                    null,
                    null,
                    null,
                    null,
                    null,
                    List.of(),
                    null,
                    null,
                    ErrorDocument.failure(why));
        }
    }

    /** A namespace; sizes are null where its command set has none. */
    record Space(
            int nsid,
            String commandSet,
            @Nullable Long sizeBytes,
            @Nullable Long blocks,
            @Nullable Integer blockBytes,
            @Nullable String unusable) {
        static Space of(Namespace n) {
            boolean blocks = n.commandSet() != CommandSet.KEY_VALUE;
            return new Space(
                    n.nsid(),
                    CommandSet.name(n.commandSet()),
                    blocks ? n.sizeBytes() : null,
                    blocks ? n.blockCount() : null,
                    blocks ? n.blockBytes() : null,
                    unusable(n));
        }

        private static @Nullable String unusable(Namespace n) {
            try {
                n.checkUsable();
                return null;
            } catch (PeerlaneException e) {
                return e.getMessage();
            }
        }
    }

    /** The controller memory buffer of one controller, and its persistent memory region. */
    record Cmb(
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
        /**
         * Reads it; it is enabled for that, so that the address is known and the controller has had
         * its chance to refuse it.
         */
        static Cmb of(Controller c) {
            ControllerMemoryBuffer cmb = c.cmb().orElse(null);
            if (cmb == null) {
                CmbInfo info = c.cmbInfo();
                String why = c.cmbAbsence().map(CmbAbsence::text).orElse(null);
                return new Cmb(
                        CMB_SCHEMA,
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
                        CmbField.of(info));
            }
            String refused = null;
            try {
                cmb.enable(c.dma());
            } catch (PeerlaneException e) {
                refused = e.getMessage();
            }
            CmbInfo info = cmb.describe();
            return new Cmb(
                    CMB_SCHEMA,
                    c.locator(),
                    c.device().bdf().toString(),
                    refused == null,
                    refused,
                    cmb.sizeBytes(),
                    info.sizeBytes(),
                    cmb.barIndex(),
                    cmb.barOffset(),
                    refused == null ? "0x%x".formatted(cmb.busAddress()) : null,
                    Holds.of(info),
                    CmbField.of(info));
        }
    }

    /** What the owner itself may place in its CMB. Peers use it as they use any memory. */
    record Holds(
            boolean submissionQueues,
            boolean completionQueues,
            boolean lists,
            boolean readData,
            boolean writeData) {
        static Holds of(CmbInfo info) {
            return new Holds(
                    info.cmbsz().sqs(),
                    info.cmbsz().cqs(),
                    info.cmbsz().lists(),
                    info.cmbsz().rds(),
                    info.cmbsz().wds());
        }

        /** Returns it in words. */
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
            return words.isEmpty() ? "nothing of its owner's" : String.join(", ", words);
        }
    }
}
