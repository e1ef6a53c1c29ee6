package dev.peerlane.cli.acs;

import dev.peerlane.diagnose.AcsChange;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code acs show}. */
record AcsDocument(
        String schema,
        String origin,
        List<Shown> bridges,
        List<String> disableLines,
        List<String> losses) {
    private static final String SCHEMA = "peerlane.acs/1";

    /** A bridge. */
    record Shown(
            String address, @Nullable String capability, @Nullable String control, String bits) {}

    /**
     * Creates the document.
     *
     * @param devices the devices whose bridges are shown; all bridges of the machine if empty
     * @param names the devices as the user named them
     * @param change the change that would turn off redirection between them
     */
    static AcsDocument of(
            Snapshot snapshot, List<Bdf> devices, List<String> names, AcsChange change) {
        Set<Bdf> above = new HashSet<>();
        for (Bdf device : devices) {
            snapshot.machine().bridgesAbove(device).forEach(b -> above.add(b.bdf()));
        }
        change.bridges().forEach(b -> above.add(b.bdf()));
        List<Shown> bridges =
                snapshot.machine().functions().stream()
                        .filter(f -> f.isBridge() && (names.isEmpty() || above.contains(f.bdf())))
                        .map(AcsDocument::shown)
                        .toList();
        List<String> lines =
                change.bridges().isEmpty()
                        ? List.of()
                        : List.of("peerlane acs disable " + String.join(" ", names));
        return new AcsDocument(
                SCHEMA, snapshot.origin(), bridges, lines, change.losses(snapshot.machine()));
    }

    private static Shown shown(PciFunction f) {
        Acs acs = f.acs();
        String address = f.bdf().toString();
        if (acs == null) {
            return new Shown(address, null, null, "no ACS");
        }
        return acs.known()
                ? new Shown(
                        address,
                        "%04x".formatted(acs.capability()),
                        "%04x".formatted(acs.control()),
                        acs.words())
                : new Shown(
                        address,
                        null,
                        null,
                        f.details().asleep() == null
                                ? "unreadable: run as root"
                                : "not read: " + f.details().asleep());
    }
}
