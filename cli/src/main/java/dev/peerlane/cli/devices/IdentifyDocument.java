package dev.peerlane.cli.devices;

import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.LbaFormat;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code identify}: a controller and its namespaces. */
record IdentifyDocument(
        String schema, ControllerFields controller, List<NamespaceFields> namespaces) {
    private static final String SCHEMA = "peerlane.identify/1";

    static IdentifyDocument of(Controller controller, List<Namespace> namespaces) {
        return new IdentifyDocument(
                SCHEMA,
                new ControllerFields(
                        controller.locator(),
                        controller.device().bdf().toString(),
                        IdentifyFields.fields(controller.identity(), controller.cap())),
                namespaces.stream().map(NamespaceFields::of).toList());
    }

    /** The controller. */
    record ControllerFields(String locator, String address, List<IdentifyFields.Field> fields) {}

    /** A namespace. */
    record NamespaceFields(
            int nsid,
            String commandSet,
            @Nullable String uniqueId,
            List<IdentifyFields.Field> fields,
            List<Format> formats) {
        static NamespaceFields of(Namespace n) {
            List<IdentifyFields.Field> fields = List.of();
            List<Format> formats = new ArrayList<>();
            if (n.commandSet() != CommandSet.KEY_VALUE) {
                IdentifyNamespace id = n.identity();
                fields = IdentifyFields.fields(id);
                for (int i = 0; i < Math.min(id.formats(), IdentifyNamespace.MAX_FORMATS); i++) {
                    LbaFormat f = id.lbaf(i);
                    boolean used = i == id.formatIndex();
                    formats.add(new Format(i, f.dataBytes(), f.ms(), performance(f.rp()), used));
                }
            }
            return new NamespaceFields(
                    n.nsid(),
                    CommandSet.name(n.commandSet()),
                    n.uniqueId().orElse(null),
                    fields,
                    formats);
        }

        private static String performance(int rp) {
            return switch (rp) {
                case 0 -> "best";
                case 1 -> "better";
                case 2 -> "good";
                default -> "degraded";
            };
        }
    }

    /** An LBA format. */
    record Format(int index, long dataBytes, int metadataBytes, String performance, boolean used) {}
}
