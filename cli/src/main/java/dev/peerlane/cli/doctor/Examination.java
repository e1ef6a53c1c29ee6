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

/** Examines a machine, or the route of a copy between two of its devices. */
public final class Examination {
    private static final List<String> BUFFERS = List.of("auto", "target", "source", "third");

    /**
     * A request for an examination.
     *
     * @param source the source of the copy, or null for the whole machine
     * @param target the target of the copy, or null
     * @param buffer whose CMB would carry the data, as on the command line
     * @param fence the fence that the copy would use, as on the command line
     */
    record Wish(@Nullable String source, @Nullable String target, String buffer, String fence) {}

    /**
     * The result of an examination.
     *
     * @param snapshot the machine that was examined
     * @param diagnosis the diagnosis
     * @param otherWay the diagnosis of the copy in the other direction, or null if there is none
     * @param probes the results of the probes
     */
    public record Outcome(
            Snapshot snapshot,
            Diagnosis diagnosis,
            @Nullable Diagnosis otherWay,
            List<Probe.Result> probes) {
        /** Returns the result for a pair whose data goes through the best memory. */
        public static Outcome of(Snapshot snapshot, Diagnosis d) {
            Bdf source = d.source();
            Bdf target = d.target();
            Diagnosis back =
                    source == null || target == null || source.equals(target)
                            ? null
                            : Doctor.examine(snapshot, target, source, Buffer.AUTO);
            return new Outcome(snapshot, d, back, List.of());
        }

        /** Returns the exit status. A failed probe takes precedence over a verdict. */
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

    /** Examines by reading only. */
    Outcome read() {
        String from = device(wish.source());
        String to = device(wish.target());
        checkPair(from, to);
        List<String> devices = from == null || to == null ? List.of() : List.of(from, to);
        Snapshot snapshot = machine.snapshot(context.system(), looked(devices));
        return answer(snapshot, question(snapshot), List.of());
    }

    /** Examines by reading and by probing the devices. */
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
                    "two-devices", "a copy needs two devices", "Name SOURCE and TARGET");
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

    /**
     * Returns the devices to examine: all drives of the machine if any drive may carry the data.
     */
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

    /** Returns the device whose memory is used, if it is neither source nor target. */
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
