package dev.peerlane.cli.doctor;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.shared.Choices;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ExitStatus;
import dev.peerlane.cli.shared.MachineSource;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.diagnose.Buffer;
import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Question;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.probe.Probe;
import dev.peerlane.probe.Snapshots;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Examines a machine, or what a copy between two of its devices would meet. */
public final class Examination {
    private static final List<String> BUFFERS = List.of("auto", "target", "source", "third");

    /**
     * What is asked.
     *
     * @param source where data would come from, or null for the whole machine
     * @param target where it would go, or null
     * @param buffer whose CMB would carry it, in the words of the command line
     * @param fence which fence the copy would use, likewise
     */
    record Wish(@Nullable String source, @Nullable String target, String buffer, String fence) {}

    /**
     * What is answered.
     *
     * @param snapshot what was looked at
     * @param diagnosis what it means
     * @param otherWay the diagnosis of the copy in the other direction, or null if there is none
     * @param probes what was measured
     */
    public record Outcome(
            Snapshot snapshot,
            Diagnosis diagnosis,
            @Nullable Diagnosis otherWay,
            List<Probe.Result> probes) {
        /** Returns the answer for a pair whose data go through whatever memory is best. */
        public static Outcome of(Snapshot snapshot, Diagnosis d) {
            Bdf source = d.source();
            Bdf target = d.target();
            Diagnosis back =
                    source == null || target == null || source.equals(target)
                            ? null
                            : Doctor.examine(snapshot, target, source, Buffer.AUTO);
            return new Outcome(snapshot, d, back, List.of());
        }

        /** Returns the exit status; a probe that failed goes before a verdict. */
        int status() {
            int status = ExitStatus.of(diagnosis);
            boolean failed = probes.stream().anyMatch(p -> p.outcome().equals("failed"));
            return failed && status == 0 ? 2 : status;
        }

        /** Returns whether a copy would work. */
        boolean isGo() {
            return status() == 0;
        }
    }

    private final Context context;
    private final MachineSource machine;
    private final Wish wish;

    Examination(Context context, MachineSource machine, Wish wish) {
        this.context = context;
        this.machine = machine;
        this.wish = wish;
    }

    /** Answers by what can be read. */
    Outcome read() {
        String from = device(wish.source());
        String to = device(wish.target());
        checkPair(from, to);
        List<String> devices = from == null || to == null ? List.of() : List.of(from, to);
        Snapshot snapshot = machine.snapshot(context.system(), looked(devices));
        return answer(snapshot, question(snapshot), List.of());
    }

    /** Answers by what can be read, and by measuring on the devices. */
    Outcome probe() {
        String from = device(wish.source());
        String to = device(wish.target());
        checkPair(from, to);
        if (from == null || to == null || machine.from() != null) {
            throw PeerlaneException.request(
                    "probe-needs-devices",
                    "--probe uses the devices themselves",
                    "Name SOURCE and TARGET, without --from");
        }
        List<String> devices = new ArrayList<>(List.of(from, to));
        if (!BUFFERS.contains(wish.buffer())) {
            devices.add(wish.buffer());
        }
        try (Session session = Opening.session(context.system(), machine.fabric(), devices)) {
            Snapshot told = Snapshots.of(session);
            Snapshot snapshot =
                    machine.isFabric(devices)
                            ? told
                            : Snapshot.of(context.system().files()).opened(told);
            Question question = question(snapshot);
            Optional<String> third = third(session, examine(snapshot, question));
            warn(session, from, to);
            third.ifPresent(owner -> warn(session, from, owner));
            third.ifPresent(owner -> warn(session, to, owner));
            List<Probe.Result> probes = new ArrayList<>(Probe.between(session, from, to));
            third.ifPresent(owner -> probes.addAll(Probe.through(session, from, to, owner)));
            return answer(snapshot, question, probes);
        }
    }

    private static void checkPair(@Nullable String from, @Nullable String to) {
        if ((from == null) != (to == null)) {
            throw PeerlaneException.request(
                    "two-devices", "one device alone is no copy", "Name SOURCE and TARGET");
        }
    }

    private static Outcome answer(
            Snapshot snapshot, @Nullable Question question, List<Probe.Result> probes) {
        Diagnosis back =
                question == null || question.source().equals(question.target())
                        ? null
                        : Doctor.examine(snapshot, question.reversed());
        return new Outcome(snapshot, examine(snapshot, question), back, probes);
    }

    /** Any drive may carry it unless one is named, so then all of a machine's are looked at. */
    private List<String> looked(List<String> devices) {
        if (devices.isEmpty() || machine.isFabric(devices)) {
            return devices;
        }
        if (wish.buffer().equals("auto") || wish.buffer().equals("third")) {
            return List.of();
        }
        List<String> all = new ArrayList<>();
        devices.forEach(d -> all.add(Extent.parse(d).device()));
        if (!BUFFERS.contains(wish.buffer())) {
            all.add(wish.buffer());
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
        String source = wish.source();
        String target = wish.target();
        if (source == null || target == null) {
            return null;
        }
        Extent from = Extent.parse(source);
        Extent to = Extent.parse(target);
        Buffer choice =
                switch (wish.buffer()) {
                    case "auto" -> Buffer.AUTO;
                    case "target" -> Buffer.TARGET;
                    case "source" -> Buffer.SOURCE;
                    case "third" -> new Buffer(Buffer.Kind.THIRD, null);
                    default -> Buffer.third(MachineSource.bdf(snapshot, wish.buffer()));
                };
        return new Question(
                MachineSource.bdf(snapshot, from.device()),
                from.nsid(),
                MachineSource.bdf(snapshot, to.device()),
                to.nsid(),
                choice,
                Choices.fence(wish.fence()));
    }
}
