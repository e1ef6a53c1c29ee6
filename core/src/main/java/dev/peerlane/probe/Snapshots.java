package dev.peerlane.probe;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.diagnose.CmbFacts;
import dev.peerlane.diagnose.NamespaceFacts;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.nvme.CmbField;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbsz;
import java.util.ArrayList;
import java.util.List;

/** Collects what the devices of a session report about themselves, for the doctor. */
public final class Snapshots {
    private Snapshots() {}

    /**
     * Opens every device of a fabric, enables its CMB as a copy would, and then reads the tree. The
     * facts of a device that can't be brought up stay unknown.
     */
    public static Snapshot of(Session session) {
        List<CmbFacts> cmbs = new ArrayList<>();
        List<NamespaceFacts> namespaces = new ArrayList<>();
        for (String locator : session.fabric().locators()) {
            try {
                Controller controller = session.controller(locator);
                cmbs.add(cmb(session, controller));
                for (int nsid : controller.activeNamespaces()) {
                    namespace(controller, nsid, namespaces);
                }
            } catch (PeerlaneException e) {
                // the diagnosis then says that nothing is known about this device
            }
        }
        return Snapshot.ofFabric(
                session.fabric().kind(), session.fabric().machine(), cmbs, namespaces);
    }

    private static CmbFacts cmb(Session session, Controller controller) {
        String locator = controller.locator();
        long free = 0;
        String problem = "";
        try {
            free = session.cmb(locator).largestFreeBytes();
        } catch (PeerlaneException e) {
            problem = ": " + e.getMessage();
        }
        ControllerMemoryBuffer there = controller.cmb().orElse(null);
        List<CmbField> fields = there == null ? controller.cmbFields() : there.describe();
        Cmbsz cmbsz = new Cmbsz((int) CmbField.raw(fields, "CMBSZ"));
        Cmbloc cmbloc = new Cmbloc((int) CmbField.raw(fields, "CMBLOC"));
        return new CmbFacts(
                controller.device().bdf(),
                there == null ? 0 : there.sizeBytes(),
                free,
                cmbloc.offsetBytes(cmbsz),
                cmbsz.rds(),
                cmbsz.wds(),
                new Cmbebs((int) CmbField.raw(fields, "CMBEBS")).cmbrbb(),
                "CMBSZ of %s = 0x%08x%s".formatted(locator, cmbsz.raw(), problem));
    }

    private static void namespace(Controller controller, int nsid, List<NamespaceFacts> out) {
        try {
            Namespace namespace = controller.namespace(nsid);
            namespace.checkUsable();
            out.add(
                    new NamespaceFacts(
                            controller.device().bdf(),
                            nsid,
                            namespace.blockBytes(),
                            namespace.maxTransferBytes(),
                            controller.identity().oncs().compare(),
                            null,
                            namespace.readOnlyReason()));
        } catch (PeerlaneException e) {
            out.add(
                    NamespaceFacts.unusable(
                            controller.device().bdf(), nsid, String.valueOf(e.getMessage())));
        }
    }
}
