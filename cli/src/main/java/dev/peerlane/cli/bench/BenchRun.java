package dev.peerlane.cli.bench;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.ErrorDocument;
import dev.peerlane.cli.shared.ProgramVersion;
import dev.peerlane.measure.Bench;
import dev.peerlane.measure.BenchWish;
import dev.peerlane.measure.LoadWay;
import dev.peerlane.pci.Machine;
import dev.peerlane.probe.Probe;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs the measurements of {@code bench} on open devices. */
final class BenchRun implements Bench.Observer {
    /**
     * The result of a run.
     *
     * @param document the figures
     * @param failure the reason for ending early, or null
     */
    record Outcome(BenchDocument document, @Nullable PeerlaneException failure) {}

    private final Context context;

    BenchRun(Context context) {
        this.context = context;
    }

    Outcome of(Session session, List<String> devices, BenchWish wish) {
        List<String> notes = new ArrayList<>();
        warn(session, devices, notes);
        Bench bench = new Bench(session, devices, wish, context.interruption().flag(), this);
        notes.addAll(bench.open());
        PeerlaneException failure = null;
        try {
            bench.run();
        } catch (PeerlaneException e) {
            failure = e;
        }
        return new Outcome(document(session, bench, notes, failure), failure);
    }

    @Override
    public void between() {
        context.interruption().check();
    }

    @Override
    public void measuring(LoadWay way, int chunkBytes, int depth) {
        if (context.verbose()) {
            context.terminal()
                    .say(
                            "Measuring %s of %s %s memory of %s: %d bytes, queue depth %d."
                                    .formatted(
                                            way.command().words(),
                                            way.namespace().name(),
                                            way.command().intoMemory() ? "into" : "out of",
                                            BenchDocument.memory(way.owner()),
                                            chunkBytes,
                                            depth));
        }
    }

    private void warn(Session session, List<String> devices, List<String> notes) {
        String emulation = session.endpoints().traits().emulation();
        if (emulation != null) {
            notes.add(
                    "The drives are emulated: these figures measure this program and machine,"
                            + " not SSDs. Data moves "
                            + emulation);
        }
        for (String one : devices) {
            for (String other : devices) {
                if (one.compareTo(other) < 0) {
                    Probe.warning(session.fabric(), one, other).ifPresent(context.terminal()::say);
                }
            }
        }
    }

    private BenchDocument document(
            Session session, Bench bench, List<String> notes, @Nullable PeerlaneException failure) {
        Machine machine = session.fabric().machine();
        List<BenchDocument.Cell> cells =
                bench.figures().stream().map(BenchDocument.Cell::of).toList();
        String kind = session.fabric().kind();
        return new BenchDocument(
                BenchDocument.SCHEMA,
                result(cells, failure),
                ProgramVersion.number(),
                BenchDocument.MachineFacts.of(context.system().files()),
                new BenchDocument.FabricFacts(kind, kind.equals("emulator")),
                bench.participants().stream()
                        .map(p -> BenchDocument.DeviceFacts.of(p, machine))
                        .toList(),
                cells,
                notes,
                failure == null ? null : ErrorDocument.failure(failure));
    }

    private static String result(
            List<BenchDocument.Cell> cells, @Nullable PeerlaneException failure) {
        if (failure != null) {
            boolean stopped = failure.category() == PeerlaneException.Category.INTERRUPTED;
            return stopped ? "interrupted" : "failed";
        }
        return cells.stream().anyMatch(BenchDocument.Cell::isVoid) ? "void" : "ok";
    }
}
