package dev.peerlane.cli.doctor;

import dev.peerlane.cli.terminal.Paragraph;
import dev.peerlane.diagnose.Check;
import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Finding;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints the doctor's diagnosis as text. */
public final class DoctorView {
    private static final int MAX_IN_FULL = 4;
    private static final int MAX_NAMED = 8;

    /** How much of a finding is printed. */
    private enum Detail {
        /** What is specific to this finding. */
        OF_THIS_ONE,
        /** Also what all findings of its code share. */
        ALL
    }

    private DoctorView() {}

    static void print(PrintWriter out, Examination.Outcome answer) {
        Snapshot snapshot = answer.snapshot();
        Diagnosis d = answer.diagnosis();
        out.println((answer.isGo() ? "GO" : "NO-GO") + ": " + summary(answer));
        d.legs().forEach(leg -> leg(out, snapshot, leg));
        Diagnosis back = answer.otherWay();
        if (back != null) {
            out.println(words(snapshot, back));
        }
        findings(out, d.findings());
        d.rejected().forEach(r -> out.println("Rejected: " + r));
        answer.probes().forEach(p -> out.println("Probed: " + p.words()));
        out.flush();
    }

    private static void leg(PrintWriter out, Snapshot snapshot, Diagnosis.Leg leg) {
        Route route = leg.route();
        out.printf(
                Locale.ROOT,
                "  %s %s %s: %s%s%n",
                name(snapshot, route.initiator()),
                leg.direction() == Direction.WRITE ? "writes to" : "reads from",
                name(snapshot, route.owner()),
                route.verdict(leg.direction()).words(),
                route.bytesPerSecond() == 0
                        ? ""
                        : String.format(
                                Locale.ROOT,
                                ", %d hops, narrowest link %.1f GB/s",
                                route.hops(),
                                route.bytesPerSecond() / 1e9));
    }

    /** Returns a line about the other direction; its findings need a diagnosis of their own. */
    private static String words(Snapshot snapshot, Diagnosis way) {
        Bdf owner = way.owner();
        return way.isGo() && owner != null
                ? "The other direction: GO through the CMB of " + name(snapshot, owner)
                : "The other direction: NO-GO ["
                        + String.join(", ", DoctorDocument.OtherWay.of(way).codes())
                        + "]";
    }

    private static String summary(Examination.Outcome answer) {
        Snapshot snapshot = answer.snapshot();
        Diagnosis d = answer.diagnosis();
        Bdf owner = d.owner();
        if (d.source() == null || d.target() == null) {
            int drives = snapshot.machine().nvmeFunctions().size();
            return answer.isGo()
                    ? "%d NVMe controllers in %s, and data can go peer to peer between some of them"
                            .formatted(drives, snapshot.origin())
                    : "no peer-to-peer in " + snapshot.origin();
        }
        String pair = "%s to %s".formatted(name(snapshot, d.source()), name(snapshot, d.target()));
        return owner == null ? pair : pair + " through the CMB of " + name(snapshot, owner);
    }

    /** Returns a device's name, if it has one, with its address. */
    public static String name(Snapshot snapshot, Bdf bdf) {
        return snapshot.machine()
                .function(bdf)
                .map(PciFunction::name)
                .map(n -> n.contains(bdf.toString()) ? n : n + " (" + bdf + ")")
                .orElse(bdf.toString());
    }

    /**
     * Prints findings. Of many with the same code, only some are printed in full; the others are
     * located.
     */
    private static void findings(PrintWriter out, List<Finding> findings) {
        Map<Check, List<Finding>> byCheck = new LinkedHashMap<>();
        findings.forEach(f -> byCheck.computeIfAbsent(f.check(), c -> new ArrayList<>()).add(f));
        for (List<Finding> same : byCheck.values()) {
            int full = same.getFirst().fix().isEmpty() ? 1 : MAX_IN_FULL;
            for (int i = 0; i < Math.min(full, same.size()); i++) {
                print(out, same.get(i), i == 0 ? Detail.ALL : Detail.OF_THIS_ONE);
            }
            List<Finding> others = same.subList(Math.min(full, same.size()), same.size());
            if (others.isEmpty()) {
                continue;
            }
            String named =
                    others.stream()
                            .limit(MAX_NAMED)
                            .map(Finding::subject)
                            .collect(Collectors.joining("; "));
            int more = others.size() - MAX_NAMED;
            out.println();
            Paragraph.print(
                    out,
                    "  also    ",
                    "[%s] %s%s"
                            .formatted(
                                    same.getFirst().code(),
                                    named,
                                    more > 0 ? "; and %d more: --json".formatted(more) : ""));
        }
    }

    private static void print(PrintWriter out, Finding f, Detail detail) {
        out.println();
        out.println(
                "%s [%s] %s: %s"
                        .formatted(
                                f.severity().name().toLowerCase(Locale.ROOT),
                                f.code(),
                                f.subject(),
                                f.check().title()));
        f.read().forEach(r -> out.println("  read    " + r));
        Paragraph.print(out, "  here    ", f.detail());
        if (detail == Detail.ALL) {
            Paragraph.print(out, "  means   ", f.check().meaning());
            Paragraph.print(out, "  cure    ", Cures.cure(f.check()));
        }
        Cures.lines(f.fix()).forEach(l -> out.println("  fix     " + l));
        Cures.lines(f.undo()).forEach(l -> out.println("  undo    " + l));
    }
}
