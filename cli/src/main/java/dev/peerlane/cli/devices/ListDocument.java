package dev.peerlane.cli.devices;

import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.spec.CommandSet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code list} for the NVMe functions of a fabric. */
record ListDocument(String schema, String fabric, List<Device> devices) {
    static final String SCHEMA = "peerlane.list/1";

    /** A function. If it can't be brought up, {@code error} has the reason and the rest is null. */
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
                    c.cmbAbsence().orElse(null),
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

    /** A namespace. Sizes are null if its command set has none. */
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
}
