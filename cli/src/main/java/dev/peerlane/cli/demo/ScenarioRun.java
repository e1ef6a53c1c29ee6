package dev.peerlane.cli.demo;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.cli.doctor.Examination;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.MachineSource;
import dev.peerlane.cli.shared.Opening;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.diagnose.AcsChange;
import dev.peerlane.diagnose.Buffer;
import dev.peerlane.diagnose.Check;
import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.pci.Bdf;
import dev.peerlane.probe.Snapshots;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Runs one scenario: a copy without safeguards, the doctor, and copies with safeguards. The images
 * are compared outside the copies.
 */
final class ScenarioRun {
    static final int BLOCK_BYTES = 512;
    private static final int CHUNK_BYTES = 16 << 10;
    private static final int SLOTS = 4;
    private static final int ACS_CONTROL = 6;
    private static final String TRUSTING =
            "rootComplex: {peerWrites: trusted, peerReads: trusted}\n";
    static final Extent SOURCE = new Extent("emu:source", 1, null, null);
    static final Extent TARGET = new Extent("emu:target", 1, null, null);

    /**
     * The differences between target and source after a copy, counted in words of 8 bytes.
     *
     * @param bytes bytes of words that differ
     * @param emptyBytes those that are zero: the slot held nothing yet
     * @param staleBytes those that the source has at the same offset in another chunk: the slot
     *     held older data
     * @param blocks blocks with such words
     * @param firstBlock the first of them, or -1
     */
    record Damage(int bytes, int emptyBytes, int staleBytes, int blocks, int firstBlock) {
        static final Damage NONE = new Damage(0, 0, 0, 0, -1);
    }

    /**
     * One copy.
     *
     * @param label the options, for people
     * @param receipt its receipt; null if it was refused
     * @param refusal the error that refused or ended it, or null
     * @param damage what is wrong on the target; an unwritten target is not damaged
     */
    record Attempt(
            String label,
            @Nullable Receipt receipt,
            @Nullable PeerlaneException refusal,
            Damage damage) {
        boolean survived() {
            return receipt != null && refusal == null && damage.bytes() == 0;
        }
    }

    /**
     * The result of a scenario.
     *
     * @param scenario the scenario
     * @param seed the seed of the fabric, the data and the copies
     * @param fabric the fabric file
     * @param unguarded the copy without safeguards
     * @param doctor the doctor's diagnosis
     * @param guarded the copies with safeguards
     */
    record Outcome(
            Scenario scenario,
            long seed,
            String fabric,
            Attempt unguarded,
            Examination.Outcome doctor,
            List<Attempt> guarded) {
        /**
         * Returns the error, or null: a guarded copy with a wrong byte, or no guarded copy that
         * succeeded.
         */
        @Nullable PeerlaneException problem() {
            for (Attempt each : guarded) {
                if (each.receipt() != null && each.refusal() == null && each.damage().bytes() > 0) {
                    return PeerlaneException.io(
                            "demo-failed",
                            "%d bytes are wrong after the copy %s"
                                    .formatted(each.damage().bytes(), each.label()),
                            "This is a bug: report it with the seed " + seed);
                }
            }
            return guarded.stream().anyMatch(Attempt::survived)
                    ? null
                    : PeerlaneException.io(
                            "demo-failed",
                            "no copy survived scenario " + scenario.label(),
                            "This is a bug: report it with the seed " + seed);
        }
    }

    /** The ACS state of the fabric's ports during a copy. */
    private enum Ports {
        AS_DESCRIBED,
        /** As after the doctor's fix. */
        CURED
    }

    private final Context context;
    private final Scenario scenario;
    private final long seed;
    private final Path source;
    private final Path target;
    private final Path file;

    private ScenarioRun(Context context, Scenario scenario, long seed, Path folder) {
        this.context = context;
        this.scenario = scenario;
        this.seed = seed;
        source = folder.resolve("source.img");
        target = folder.resolve("target.img");
        file = folder.resolve(scenario.label() + ".yaml");
    }

    /** Runs the scenario in a temporary directory, which is removed afterwards. */
    static Outcome run(Context context, Scenario scenario, long seed) throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir", "."));
        Path folder = Files.createTempDirectory(temporary, "peerlane-demo");
        ScenarioRun run = new ScenarioRun(context, scenario, seed, folder);
        try {
            return run.outcome();
        } finally {
            for (Path each : List.of(run.source, run.target, run.file, folder)) {
                Files.deleteIfExists(each);
            }
        }
    }

    private Outcome outcome() throws IOException {
        Files.write(source, random(seed));
        String fabric = scenario.fabric(seed);
        // the same packets, but the unknown root complex is assumed to forward
        Files.writeString(file, fabric.contains("rootComplex:") ? fabric : fabric + TRUSTING);
        CopyOptions trusting = options().withFence(FenceChoice.NONE).withVerify(VerifyMode.NONE);
        Attempt unguarded = attempt("without safeguards", trusting, Ports.AS_DESCRIBED);
        Files.writeString(file, fabric);
        Snapshot snapshot;
        Diagnosis diagnosis;
        try (Session session = open()) {
            snapshot = Snapshots.of(session);
            Bdf from = MachineSource.bdf(snapshot, SOURCE.device());
            Bdf to = MachineSource.bdf(snapshot, TARGET.device());
            diagnosis = Doctor.examine(snapshot, from, to, Buffer.AUTO);
        }
        List<Attempt> guarded = new ArrayList<>();
        Attempt asked = attempt("--buffer target", options(), Ports.AS_DESCRIBED);
        guarded.add(asked);
        if (!asked.survived()) {
            guarded.add(
                    attempt(
                            "default options",
                            options().withBuffer(BufferChoice.AUTO),
                            Ports.AS_DESCRIBED));
        }
        boolean curable =
                diagnosis.has(Check.ACS_REQUEST)
                        || diagnosis.has(Check.ACS_COMPLETION)
                        || diagnosis.has(Check.ACS_EGRESS);
        if (curable) {
            guarded.add(
                    attempt("--buffer target, after the doctor's cure", options(), Ports.CURED));
        }
        return new Outcome(
                scenario,
                seed,
                fabric,
                unguarded,
                Examination.Outcome.of(snapshot, diagnosis),
                guarded);
    }

    private CopyOptions options() {
        return CopyOptions.DEFAULTS
                .withBuffer(BufferChoice.TARGET)
                .withSlots(CHUNK_BYTES, SLOTS)
                .withOverwrite(true)
                .withSeed(seed);
    }

    private Session open() {
        return Opening.session(context.system(), file, List.of(SOURCE.device(), TARGET.device()));
    }

    private Attempt attempt(String label, CopyOptions how, Ports ports) throws IOException {
        context.interruption().check();
        byte[] before = random(~seed);
        Files.write(target, before);
        Receipt receipt = null;
        PeerlaneException refusal = null;
        try (Session session = open()) {
            if (ports == Ports.CURED) {
                cure(session);
            }
            CopyPlan plan = session.plan(SOURCE, TARGET, how);
            if (scenario.clearsFirst() && how.fence() == FenceChoice.NONE) {
                clear(session);
            }
            receipt = session.run(plan, context.interruption().flag(), Progress.NONE);
        } catch (CopyException e) {
            receipt = e.receipt();
            refusal = e;
        } catch (PeerlaneException e) {
            refusal = e;
        }
        if (refusal != null && refusal.category() == PeerlaneException.Category.INTERRUPTED) {
            throw refusal;
        }
        return new Attempt(label, receipt, refusal, damage(before));
    }

    /** Stores zeroes where the slots will be, without ensuring that they arrive. */
    private static void clear(Session session) {
        PeerMemory cmb = session.controller(TARGET.device()).requireCmb();
        PeerBuffer slots = cmb.allocate(SLOTS * CHUNK_BYTES, 4096);
        slots.fill(0, slots.sizeBytes(), 0);
        slots.wipeOnClose(false);
        slots.close();
    }

    /** Applies the doctor's fix. */
    private static void cure(Session session) {
        EmulatedFabric fabric = (EmulatedFabric) session.fabric();
        Snapshot snapshot = Snapshots.of(session);
        List<Bdf> devices =
                List.of(
                        MachineSource.bdf(snapshot, SOURCE.device()),
                        MachineSource.bdf(snapshot, TARGET.device()));
        for (AcsChange.Bridge bridge : AcsChange.between(snapshot.machine(), devices).bridges()) {
            fabric.config(bridge.bdf()).store16(bridge.offset() + ACS_CONTROL, bridge.changed());
        }
    }

    private Damage damage(byte[] before) throws IOException {
        byte[] found = Files.readAllBytes(target);
        if (Arrays.equals(before, found)) {
            return Damage.NONE;
        }
        LongBuffer wanted = ByteBuffer.wrap(Files.readAllBytes(source)).asLongBuffer();
        LongBuffer there = ByteBuffer.wrap(found).asLongBuffer();
        BitSet blocks = new BitSet();
        int wrong = 0;
        int empty = 0;
        int stale = 0;
        for (int at = 0; at < wanted.limit(); at++) {
            long word = there.get(at);
            if (word != wanted.get(at)) {
                wrong += Long.BYTES;
                empty += word == 0 ? Long.BYTES : 0;
                stale += isOfAnotherChunk(wanted, at, word) ? Long.BYTES : 0;
                blocks.set(at * Long.BYTES / BLOCK_BYTES);
            }
        }
        return new Damage(wrong, empty, stale, blocks.cardinality(), blocks.nextSetBit(0));
    }

    private static boolean isOfAnotherChunk(LongBuffer source, int at, long word) {
        int words = CHUNK_BYTES / Long.BYTES;
        for (int other = at % words; other < source.limit(); other += words) {
            if (source.get(other) == word) {
                return true;
            }
        }
        return false;
    }

    private static byte[] random(long of) {
        byte[] bytes = new byte[Scenario.BYTES];
        new SplittableRandom(of).nextBytes(bytes);
        return bytes;
    }
}
