package dev.peerlane.cli;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.diagnose.Buffer;
import dev.peerlane.diagnose.Check;
import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Finding;
import dev.peerlane.diagnose.Question;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.probe.Probe;
import dev.peerlane.probe.Snapshots;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code doctor}: will it work here, and why not. */
@Command(
        name = "doctor",
        description = {
            "Says whether peer-to-peer works between two devices, or on this machine at all, and"
                    + " why not: what was read, what it means, how to change it and how to go back.",
            ""
        },
        footer = {
            "",
            "Exit status: 0 go; 2 the machine or a device can't; 3 it would be refused. The codes"
                    + " are explained in docs/doctor.md. The verdicts are those that a copy is"
                    + " planned with.",
            "",
            "--probe measures instead of believing, and writes to no medium: a Read into the peer's"
                    + " memory (an Identify, where there is no namespace), and a Compare from it"
                    + " that must succeed and, after one byte was changed, must fail. With the"
                    + " buffer of a third device, both sides are probed with it too.",
            "",
            "Examples:",
            "    peerlane doctor",
            "    sudo peerlane doctor 0000:03:00.0 0000:04:00.0",
            "    peerlane doctor 03:00.0 04:00.0 --from server.zip",
            "    peerlane doctor emu:ssd0 emu:ssd1 --probe",
            ""
        })
final class DoctorCommand implements Callable<Integer> {
    private static final String SCHEMA = "peerlane.doctor/1";
    private static final int COLUMNS = 100;
    private static final int MAX_IN_FULL = 4;
    private static final int MAX_NAMED = 8;
    private static final List<String> BUFFERS = List.of("auto", "target", "source", "third");

    private final Context context;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "SOURCE",
            description =
                    "Where data would come from, with /nNSID where blocks differ. Without it, the"
                            + " whole machine is examined.")
    private @Nullable String source;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "TARGET",
            description = "Where it would go.")
    private @Nullable String target;

    @Option(
            names = "--buffer",
            paramLabel = "auto|target|source|third|DEVICE",
            defaultValue = "auto",
            description = "Whose CMB would carry the copy; the default is ${DEFAULT-VALUE}.")
    private String buffer = "auto";

    @Option(
            names = "--fence",
            paramLabel = "auto|sentinel|canary|readback|none",
            defaultValue = "auto",
            description = "Which fence the copy would use; the default is ${DEFAULT-VALUE}.")
    private String fence = "auto";

    @Option(names = "--probe", description = "Measure each leg on the devices themselves.")
    private boolean probe;

    @Mixin private final MachineOptions machine = new MachineOptions();

    DoctorCommand(Context context) {
        this.context = context;
    }

    /** What it prints as JSON. */
    record Document(
            String schema,
            String result,
            int exitStatus,
            String origin,
            @Nullable String source,
            @Nullable String target,
            @Nullable String buffer,
            List<LegDocument> legs,
            List<FindingDocument> findings,
            List<String> otherBuffers,
            List<Probe.Result> probes,
            @Nullable OtherWay otherWay) {}

    /** The answer for the copy in the other direction. */
    record OtherWay(String result, @Nullable String buffer, List<String> codes) {
        static OtherWay of(Diagnosis d) {
            return new OtherWay(
                    d.isGo() ? "go" : "no-go",
                    text(d.owner()),
                    d.findings().stream()
                            .filter(f -> f.severity().blocks())
                            .map(Finding::code)
                            .distinct()
                            .toList());
        }
    }

    /** One leg. */
    record LegDocument(
            String initiator,
            String owner,
            String direction,
            String verdict,
            boolean allowed,
            boolean kernelAllows,
            int hops,
            long bytesPerSecond,
            String reason) {}

    /** One finding. */
    record FindingDocument(
            String code,
            String severity,
            String subject,
            String title,
            List<String> read,
            String detail,
            String meaning,
            String cure,
            List<String> fix,
            String back,
            List<String> undo) {}

    @Override
    public Integer call() {
        String from = device(source);
        String to = device(target);
        if ((from == null) != (to == null)) {
            throw PeerlaneException.request(
                    "two-devices", "one device alone is no copy", "Name SOURCE and TARGET");
        }
        if (!probe) {
            List<String> devices = from == null || to == null ? List.of() : List.of(from, to);
            Snapshot snapshot = machine.snapshot(context.host(), looked(devices));
            return answer(snapshot, examine(snapshot, question(snapshot)), List.of());
        }
        if (from == null || to == null || machine.from != null) {
            throw PeerlaneException.request(
                    "probe-needs-devices",
                    "--probe uses the devices themselves",
                    "Name SOURCE and TARGET, without --from");
        }
        List<String> devices = new ArrayList<>(List.of(from, to));
        if (!BUFFERS.contains(buffer)) {
            devices.add(buffer);
        }
        try (Session session = Opening.session(context.host(), machine.fabric, devices)) {
            Snapshot told = Snapshots.of(session);
            Snapshot snapshot =
                    machine.isFabric(devices)
                            ? told
                            : Snapshot.of(context.host().files()).opened(told);
            Diagnosis diagnosis = examine(snapshot, question(snapshot));
            Optional<String> third = third(session, diagnosis);
            warn(session, from, to);
            third.ifPresent(owner -> warn(session, from, owner));
            third.ifPresent(owner -> warn(session, to, owner));
            List<Probe.Result> probes = new ArrayList<>(Probe.between(session, from, to));
            third.ifPresent(owner -> probes.addAll(Probe.through(session, from, to, owner)));
            return answer(snapshot, diagnosis, probes);
        }
    }

    /** Any drive may carry it unless one is named, so then all of a machine's are looked at. */
    private List<String> looked(List<String> devices) {
        if (devices.isEmpty() || machine.isFabric(devices)) {
            return devices;
        }
        if (buffer.equals("auto") || buffer.equals("third")) {
            return List.of();
        }
        List<String> all = new ArrayList<>();
        devices.forEach(d -> all.add(Extent.parse(d).device()));
        if (!BUFFERS.contains(buffer)) {
            all.add(buffer);
        }
        return all;
    }

    private void warn(Session session, String one, String other) {
        Probe.warning(session.fabric(), one, other).ifPresent(context.terminal()::say);
    }

    /** Finds the device whose memory is used, if it is neither side's. */
    private static Optional<String> third(Session session, Diagnosis diagnosis) {
        Bdf owner = diagnosis.owner();
        if (owner == null || owner.equals(diagnosis.source()) || owner.equals(diagnosis.target())) {
            return Optional.empty();
        }
        return session.fabric().locators().stream()
                .filter(l -> session.controller(l).device().bdf().equals(owner))
                .findFirst();
    }

    private static @Nullable String device(@Nullable String side) {
        return side == null ? null : Extent.parse(side).device();
    }

    private static Diagnosis examine(Snapshot snapshot, @Nullable Question question) {
        return question == null ? Doctor.examine(snapshot) : Doctor.examine(snapshot, question);
    }

    private @Nullable Question question(Snapshot snapshot) {
        if (source == null || target == null) {
            return null;
        }
        Extent from = Extent.parse(source);
        Extent to = Extent.parse(target);
        Buffer choice =
                switch (buffer) {
                    case "auto" -> Buffer.AUTO;
                    case "target" -> Buffer.TARGET;
                    case "source" -> Buffer.SOURCE;
                    case "third" -> new Buffer(Buffer.Kind.THIRD, null);
                    default -> Buffer.third(MachineOptions.bdf(snapshot, buffer));
                };
        return new Question(
                MachineOptions.bdf(snapshot, from.device()),
                from.nsid(),
                MachineOptions.bdf(snapshot, to.device()),
                to.nsid(),
                choice,
                CopyCommand.fenceChoice(fence));
    }

    private @Nullable OtherWay otherWay(Snapshot snapshot) {
        Question question = question(snapshot);
        if (question == null || question.source().equals(question.target())) {
            return null;
        }
        return OtherWay.of(Doctor.examine(snapshot, question.reversed()));
    }

    /** Answers for the other direction, in a line: what is found there is asked for by itself. */
    private static String words(Snapshot snapshot, OtherWay way) {
        String owner = way.buffer();
        return way.result().equals("go") && owner != null
                ? "The other way: GO through the CMB of " + name(snapshot, Bdf.parse(owner))
                : "The other way: NO-GO [" + String.join(", ", way.codes()) + "]";
    }

    private int answer(Snapshot snapshot, Diagnosis d, List<Probe.Result> probes) {
        PrintWriter out = context.terminal().out();
        boolean failed = probes.stream().anyMatch(p -> p.outcome().equals("failed"));
        int status = ExitStatus.of(d) == 0 && failed ? 2 : ExitStatus.of(d);
        if (machine.json) {
            Json.print(out, document(snapshot, d, probes, status, otherWay(snapshot)));
            return status;
        }
        boolean go = status == 0;
        out.println((go ? "GO" : "NO-GO") + ": " + summary(snapshot, d, go));
        for (Diagnosis.Leg leg : d.legs()) {
            LegDocument l = leg(leg);
            out.printf(
                    Locale.ROOT,
                    "  %s %s %s: %s%s%n",
                    name(snapshot, leg.route().initiator()),
                    leg.direction() == Direction.WRITE ? "writes to" : "reads from",
                    name(snapshot, leg.route().owner()),
                    leg.route().verdict(leg.direction()).words(),
                    l.bytesPerSecond() == 0
                            ? ""
                            : String.format(
                                    Locale.ROOT,
                                    ", %d hops, narrowest link %.1f GB/s",
                                    l.hops(),
                                    l.bytesPerSecond() / 1e9));
        }
        OtherWay back = otherWay(snapshot);
        if (back != null) {
            out.println(words(snapshot, back));
        }
        findings(out, d.findings());
        d.rejected().forEach(r -> out.println("Not taken: " + r));
        probes.forEach(p -> out.println("Probed: " + p.words()));
        out.flush();
        return status;
    }

    private static String summary(Snapshot snapshot, Diagnosis d, boolean go) {
        Bdf owner = d.owner();
        if (d.source() == null || d.target() == null) {
            int drives = snapshot.machine().nvmeFunctions().size();
            return go
                    ? "%d NVMe controllers in %s, and data can go peer to peer between some of them"
                            .formatted(drives, snapshot.origin())
                    : "no peer-to-peer in " + snapshot.origin();
        }
        String pair = "%s to %s".formatted(name(snapshot, d.source()), name(snapshot, d.target()));
        return owner == null ? pair : pair + " through the CMB of " + name(snapshot, owner);
    }

    static String name(Snapshot snapshot, Bdf bdf) {
        return snapshot.machine()
                .function(bdf)
                .map(PciFunction::name)
                .map(n -> n.contains(bdf.toString()) ? n : n + " (" + bdf + ")")
                .orElse(bdf.toString());
    }

    /** Prints findings; of many with one code, some in full, and of the others where they are. */
    static void findings(PrintWriter out, List<Finding> findings) {
        Map<Check, List<Finding>> byCheck = new LinkedHashMap<>();
        findings.forEach(f -> byCheck.computeIfAbsent(f.check(), c -> new ArrayList<>()).add(f));
        for (List<Finding> same : byCheck.values()) {
            int full = same.getFirst().fix().isEmpty() ? 1 : MAX_IN_FULL;
            for (int i = 0; i < Math.min(full, same.size()); i++) {
                print(out, same.get(i), i == 0);
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
            wrapped(
                    out,
                    "  also    ",
                    "[%s] %s%s"
                            .formatted(
                                    same.getFirst().code(),
                                    named,
                                    more > 0 ? "; and %d more: --json".formatted(more) : ""));
        }
    }

    /** Prints a finding; what is the same for all of its code only once. */
    static void print(PrintWriter out, Finding f, boolean first) {
        out.println();
        out.println(
                "%s [%s] %s: %s"
                        .formatted(
                                f.severity().name().toLowerCase(Locale.ROOT),
                                f.code(),
                                f.subject(),
                                f.check().title()));
        f.read().forEach(r -> out.println("  read    " + r));
        wrapped(out, "  here    ", f.detail());
        if (first) {
            wrapped(out, "  means   ", f.check().meaning());
            wrapped(out, "  cure    ", Cures.cure(f.check()));
        }
        Cures.lines(f.fix()).forEach(l -> out.println("  fix     " + l));
        Cures.lines(f.undo()).forEach(l -> out.println("  undo    " + l));
    }

    static void wrapped(PrintWriter out, String label, String text) {
        StringBuilder line = new StringBuilder(label);
        for (String word : text.split(" ", -1)) {
            if (line.length() + word.length() > COLUMNS) {
                out.println(line.toString().stripTrailing());
                line.setLength(0);
                line.repeat(' ', label.length());
            }
            line.append(word).append(' ');
        }
        out.println(line.toString().stripTrailing());
    }

    private static LegDocument leg(Diagnosis.Leg leg) {
        var r = leg.route();
        return new LegDocument(
                r.initiator().toString(),
                r.owner().toString(),
                leg.direction().word(),
                r.verdict(leg.direction()).name().toLowerCase(Locale.ROOT).replace('_', '-'),
                leg.allowed(),
                r.kernelAllows(),
                r.hops(),
                r.bytesPerSecond(),
                r.reason());
    }

    /** Returns the document of a diagnosis of a pair, through whatever memory is best. */
    static Document document(Snapshot snapshot, Diagnosis d) {
        Bdf source = d.source();
        Bdf target = d.target();
        OtherWay back =
                source == null || target == null || source.equals(target)
                        ? null
                        : OtherWay.of(Doctor.examine(snapshot, target, source, Buffer.AUTO));
        return document(snapshot, d, List.of(), ExitStatus.of(d), back);
    }

    private static Document document(
            Snapshot snapshot,
            Diagnosis d,
            List<Probe.Result> probes,
            int status,
            @Nullable OtherWay otherWay) {
        List<FindingDocument> findings = new ArrayList<>();
        for (Finding f : d.findings()) {
            findings.add(
                    new FindingDocument(
                            f.code(),
                            f.severity().name().toLowerCase(Locale.ROOT),
                            f.subject(),
                            f.check().title(),
                            f.read(),
                            f.detail(),
                            f.check().meaning(),
                            Cures.cure(f.check()),
                            Cures.lines(f.fix()),
                            Cures.undo(f.check()),
                            Cures.lines(f.undo())));
        }
        return new Document(
                SCHEMA,
                status == 0 ? "go" : "no-go",
                status,
                snapshot.origin(),
                text(d.source()),
                text(d.target()),
                text(d.owner()),
                d.legs().stream().map(DoctorCommand::leg).toList(),
                findings,
                d.rejected(),
                probes,
                otherWay);
    }

    private static @Nullable String text(@Nullable Bdf bdf) {
        return bdf == null ? null : bdf.toString();
    }
}
