package dev.peerlane.cli.litmus;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.copy.CopyWords;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.cli.terminal.ProgressDisplay;
import dev.peerlane.cli.terminal.Terminal;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.planning.Planner;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.measure.LitmusCount;
import dev.peerlane.measure.LitmusJob;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.Namespace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Counts stale hand-offs between two devices, one fence at a time. */
final class LitmusRun {
    private static final int CHUNK_BYTES = 4096;

    /** The blocks to overwrite on both devices, in the larger of their block sizes. */
    record Scratch(long slba, long blocks) {}

    /**
     * What to count.
     *
     * @param fences the fences
     * @param handOffs the number of hand-offs with each fence
     * @param nanos the time limit for each fence
     */
    record Counting(Set<FenceChoice> fences, long handOffs, long nanos) {}

    /**
     * A request for a litmus test.
     *
     * @param source the device that Reads
     * @param target the device that Compares
     * @param options the memory to use, and the seed
     * @param scratch the blocks to overwrite
     * @param counting what to count
     */
    record Wish(
            Extent source, Extent target, CopyOptions options, Scratch scratch, Counting counting) {
        /** Returns the devices that take part. */
        List<String> devices() {
            List<String> devices = new ArrayList<>(List.of(source.device(), target.device()));
            String carrier = options.buffer().locator();
            if (carrier != null) {
                devices.add(carrier);
            }
            return devices;
        }
    }

    /** Decides before anything is written. */
    interface Consent {
        /**
         * Returns normally if the blocks may be overwritten, otherwise throws.
         *
         * @param sides the two devices whose blocks are overwritten
         */
        void to(CopyPlan plan, List<Controller> sides);
    }

    private final Context context;
    private final Terminal terminal;
    private final Consent consent;
    private final List<LitmusDocument.Counted> lines = new ArrayList<>();
    private final List<Controller> used = new ArrayList<>();
    private List<DmaFault> faults = List.of();
    private LitmusDocument.@Nullable Head head;

    LitmusRun(Context context, Consent consent) {
        this.context = context;
        this.terminal = context.terminal();
        this.consent = consent;
    }

    /** Returns the counts so far. */
    List<LitmusDocument.Counted> lines() {
        return lines;
    }

    /** Returns the values that all fences share, or null if planning did not finish. */
    LitmusDocument.@Nullable Head head() {
        return head;
    }

    /** Returns the warnings to print afterwards. */
    List<String> warnings() {
        List<String> warnings = new ArrayList<>(CopyWords.faults(faults));
        used.forEach(c -> c.closeProblem().ifPresent(warnings::add));
        return warnings;
    }

    /**
     * Returns the error that ended a fence's run, or one for old bytes from a fence that a copy
     * would use.
     */
    static @Nullable PeerlaneException verdict(List<LitmusDocument.Counted> lines) {
        for (LitmusDocument.Counted line : lines) {
            if (line.count().stopped() != null) {
                return line.count().stopped();
            }
        }
        for (LitmusDocument.Counted line : lines) {
            if (line.count().stale() > 0 && line.refusal() == null) {
                return PeerlaneException.io(
                        "stale-handoff",
                        "%d of %d slots held old bytes when fence %s handed them on"
                                .formatted(
                                        line.count().stale(),
                                        line.count().handOffs(),
                                        line.count().fence()),
                        "Don't trust a copy with this fence between these devices. Report this,"
                                + " and use --buffer host");
            }
        }
        return null;
    }

    /** Counts with every fence. After an error, {@link #lines} has the counts so far. */
    void run(@Nullable Path fabric, Wish wish, long seed) {
        List<String> devices = wish.devices();
        try (Session session = Opening.session(context.system(), fabric, devices)) {
            for (String device : devices) {
                context.interruption().check();
                used.add(session.controller(device));
            }
            if (!wish.options().overwrite()) {
                // the plan for the target's CMB is refused
                session.checkCarriesNothing(wish.source());
            }
            CopyPlan plan = plan(session, wish);
            head = LitmusDocument.Head.of(plan, seed);
            consent.to(
                    plan,
                    List.of(
                            session.controller(wish.source().device()),
                            session.controller(wish.target().device())));
            try {
                count(session, plan, wish.counting(), seed);
            } finally {
                faults = session.fabric().faults();
            }
        }
    }

    private static CopyPlan plan(Session session, Wish wish) {
        Namespace reader = session.namespace(wish.source());
        Namespace comparer = session.namespace(wish.target());
        long unit = Math.max(reader.blockBytes(), comparer.blockBytes());
        CopyOptions sized = wish.options().withSlots((int) Math.max(unit, CHUNK_BYTES), 0);
        return session.plan(
                part(wish.source(), reader, unit, wish.scratch()),
                part(wish.target(), comparer, unit, wish.scratch()),
                sized);
    }

    private static Extent part(Extent of, Namespace namespace, long unit, Scratch scratch) {
        long each = unit / namespace.blockBytes();
        return new Extent(
                of.device(), namespace.nsid(), scratch.slba() * each, scratch.blocks() * each);
    }

    private void count(Session session, CopyPlan plan, Counting counting, long seed) {
        // before memory is allocated, because the planner checks what is free
        Map<FenceChoice, String> refusals = new EnumMap<>(FenceChoice.class);
        for (FenceChoice fence : counting.fences()) {
            String refusal = refusal(session, plan, fence);
            if (refusal != null) {
                refusals.put(fence, refusal);
            }
        }
        LitmusJob job =
                new LitmusJob(
                        plan,
                        Surroundings.of(session.fabric()),
                        context.interruption().flag(),
                        seed);
        try {
            head = LitmusDocument.Head.of(plan, seed, job.chunkBytes(), job.slots());
            for (FenceChoice fence : counting.fences()) {
                LitmusCount count =
                        ProgressDisplay.during(
                                terminal,
                                progress ->
                                        job.count(
                                                fence,
                                                counting.handOffs(),
                                                counting.nanos(),
                                                progress));
                lines.add(new LitmusDocument.Counted(count, refusals.get(fence)));
                if (count.stopped() != null) {
                    return;
                }
            }
        } finally {
            String problem = job.release();
            if (problem != null) {
                terminal.say("Warning: " + problem + ".");
            }
        }
    }

    /** Returns why no copy would use a fence here, or null if one would. */
    private static @Nullable String refusal(Session session, CopyPlan plan, FenceChoice fence) {
        CopyRequest r = plan.request();
        FenceChoice asked = fence == FenceChoice.NONE ? FenceChoice.AUTO : fence;
        CopyRequest other =
                new CopyRequest(
                        r.source(),
                        r.sourceLba(),
                        r.target(),
                        r.targetLba(),
                        r.bytes(),
                        r.candidates(),
                        r.absences(),
                        r.options().withFence(asked));
        try {
            String planned = Planner.plan(other, session.fabric().machine()).fence();
            return planned.equals(fence.label())
                    ? null
                    : fence == FenceChoice.NONE
                            ? "never by default: data goes to another device's memory"
                            : "not needed: the source writes its own memory";
        } catch (PeerlaneException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
