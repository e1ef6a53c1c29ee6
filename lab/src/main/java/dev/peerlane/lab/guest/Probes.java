package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.Session;
import dev.peerlane.hal.Fabric;
import dev.peerlane.probe.Probe;
import java.util.List;

/** Probes routes that are predicted to be direct. */
final class Probes {
    private Probes() {}

    /**
     * Probes two drives below one switch, with or without their memory mapped in the IOMMU.
     * Unmapped addresses are bus addresses, as Linux's p2pdma uses them: a real switch would route
     * them, but QEMU's does not.
     */
    static String run(boolean unmapped, String one, String other) {
        Fabric real = Ssds.fabric(one, other);
        Fabric fabric = unmapped ? new MappingForgotten(real) : real;
        String from = Ssds.locator(one);
        String to = Ssds.locator(other);
        String warning = Probe.warning(fabric, from, to).orElse("");
        check(warning.contains("can take the machine down"), "the warning is: " + warning);
        try (Session session = Session.of(fabric)) {
            List<Probe.Result> results = Probe.between(session, from, to);
            same(4, results.size(), "the number of results");
            for (Probe.Result each : results) {
                same("direct over a switch", each.predicted(), "what is predicted");
                same(unmapped ? "failed" : "works", each.outcome(), each.words());
                same(!unmapped, each.agrees(), each.words());
            }
            return results.getFirst().words() + "; " + results.get(1).words();
        }
    }
}
