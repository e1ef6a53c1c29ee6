package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.engine.Blame;
import dev.peerlane.copy.engine.CpuTime;
import dev.peerlane.copy.engine.IntQueue;
import dev.peerlane.copy.engine.Linger;
import dev.peerlane.copy.engine.Poison;
import dev.peerlane.copy.engine.Suspects;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link Load} and measures it. It allocates nothing per command.
 *
 * <p>A device may end a command with success although its data got lost, so a figure is valid only
 * with its canaries. Before and after the measured time, every slot is checked. A Read must have
 * replaced a random word in each of its pages. A Compare must succeed with the medium's data, and
 * end in Compare Failure after one bit of the slot was flipped. A Write must have brought a random
 * word of each page to the medium; a Read into host memory checks that. The loss of a single packet
 * in between is not detected.
 *
 * <p>Runs on the thread that owns the fabric. The port must not be used by anyone else.
 */
public final class LoadRun {
    private static final int POLL_MAX = 64;

    /**
     * The compiler discards the code of a loop when the loop first ends in a way that it had not
     * met, and compiles it anew while the loop runs on. So the loop ends several times before the
     * measurement.
     */
    private static final int WARM_UPS = 3;

    private static final int CANCEL_EVERY = 256;
    private static final long ARRIVAL_NANOS = 1_000_000_000L;
    private static final int DIGITS = 3;
    private static final double[] PERCENTILES = {
        0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100
    };

    private final Load load;
    private final BlockPort port;
    private final Clock clock;
    private final CancelFlag cancel;
    private final int blocks;
    private final long chunks;
    private final PeerBuffer buffer;
    private final HostMemory.@Nullable HostBuffer host;
    private final Poison poison;
    private final SplittableRandom random;
    private final int firstSlot;
    private final int firstHost;
    private final IntQueue free;
    private final long[] sinceOf;
    private final int[] statusOf;
    private final Histogram histogram;
    private long next;
    private long now;
    private boolean recording;
    private long commands;
    private boolean checking;
    private int failure;
    private final Suspects suspects = new Suspects();

    private final Completions onEnd =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    ended(slot - firstSlot, status);
                }
            };

    private LoadRun(
            Load load,
            BlockPort port,
            PeerBuffer buffer,
            HostMemory.@Nullable HostBuffer host,
            Clock clock,
            CancelFlag cancel) {
        this.load = load;
        this.port = port;
        this.buffer = buffer;
        this.host = host;
        this.clock = clock;
        this.cancel = cancel;
        int chunk = load.chunkBytes();
        int depth = load.depth();
        blocks = chunk / port.limits().blockBytes();
        chunks = load.blocks() / blocks;
        random = Poison.words(load.seed());
        poison = new Poison(buffer, new Geometry(chunk, depth, 0, 0), random);
        firstSlot = port.attach(buffer, 0, chunk, chunk, depth);
        firstHost = host == null ? -1 : port.attach(host, 0, chunk, chunk, depth);
        free = new IntQueue(depth);
        sinceOf = new long[depth];
        statusOf = new int[2 * depth];
        histogram = new Histogram(Math.max(2, 2 * load.timeoutNanos()), DIGITS);
        for (int i = 0; i < depth; i++) {
            free.add(i);
        }
    }

    /**
     * Runs a load. The memory is wiped and released, unless a device can't be stopped.
     *
     * @param load the load
     * @param port the device's port, with nothing in flight; it is quiesced if a command does not
     *     end, or ends in an error
     * @param memory the memory that the device writes or reads
     * @param dma allocates host memory for the canaries
     * @param clock the fabric's clock
     * @param cancel stops the load
     * @return the figures, or the reason why they are void
     * @throws PeerlaneException if the load can't be run, a command does not end in time, or the
     *     load was cancelled
     */
    public static LoadResult run(
            Load load,
            BlockPort port,
            PeerMemory memory,
            DmaDomain dma,
            Clock clock,
            CancelFlag cancel) {
        load.check(port.name(), port.limits());
        PeerBuffer buffer = memory.allocate(load.bufferBytes(), Geometry.PAGE_BYTES);
        HostMemory.HostBuffer host = null;
        boolean safe = false;
        LoadRun run = null;
        try {
            if (load.command() != Load.Command.READ) {
                host = new HostMemory(dma).allocate(load.bufferBytes(), Geometry.PAGE_BYTES);
            }
            run = new LoadRun(load, port, buffer, host, clock, cancel);
            LoadResult result = run.measured();
            safe = true;
            return result;
        } finally {
            if (!safe && port.inFlight() > 0) {
                port.quiesce(); // throws if a device could still touch the memory
            }
            if (run != null) {
                run.stopSuspects();
            }
            buffer.close();
            if (host != null) {
                host.close();
            }
        }
    }

    private void stopSuspects() {
        PeerlaneException stuck = suspects.stop(clock, !buffer.isHost());
        if (stuck != null) {
            throw stuck;
        }
    }

    private LoadResult measured() {
        if (load.command() == Load.Command.COMPARE) {
            String wrong = fillFromMedium();
            if (!wrong.isEmpty()) {
                return nothing(wrong);
            }
        }
        String before = check();
        if (!before.isEmpty()) {
            return nothing(before);
        }
        plantAll();
        recording = true;
        for (int i = 0; i < WARM_UPS; i++) {
            turns(load.nanos() / 4);
        }
        long compiler = compilerMillis();
        long cpu = CpuTime.nanos();
        long start = clock.nanoTime();
        turns(load.nanos());
        long nanos = clock.nanoTime() - start;
        double cpuSeconds = (CpuTime.nanos() - cpu) / 1e9;
        double compilerSeconds = (compilerMillis() - compiler) / 1e3;
        recording = false;
        drain();
        if (failure != 0) {
            return nothing("a %s ended with %s".formatted(name(), port.describe(failure)));
        }
        // a slot that was never used keeps its canary, which is not a fault
        String after = next >= load.depth() ? look() : "";
        if (after.isEmpty()) {
            after = check();
        }
        return result(nanos / 1e9, cpuSeconds, compilerSeconds, after);
    }

    private LoadResult nothing(String reason) {
        return result(0, 0, 0, reason);
    }

    private LoadResult result(
            double seconds, double cpuSeconds, double compilerSeconds, String reason) {
        List<LoadResult.Point> points = new ArrayList<>();
        for (double percentile : PERCENTILES) {
            points.add(
                    new LoadResult.Point(percentile, histogram.getValueAtPercentile(percentile)));
        }
        int words =
                load.command() == Load.Command.COMPARE ? load.depth() : poison.words(load.depth());
        return new LoadResult(
                buffer.busAddress(),
                commands,
                commands * load.chunkBytes(),
                seconds,
                cpuSeconds,
                compilerSeconds,
                new LoadResult.Latencies(commands == 0 ? 0 : histogram.getMean(), points),
                words,
                reason);
    }

    private String name() {
        return load.command().words();
    }

    /**
     * Keeps the queue full for a time, and when recording until enough commands ended for a figure.
     * Starts new figures.
     */
    private void turns(long nanos) {
        commands = 0;
        histogram.reset();
        long start = clock.nanoTime();
        now = start;
        long moved = start;
        int count = 0;
        while (failure == 0 && (now - start < nanos || isTooShort())) {
            while (!free.isEmpty() && submit(free.peek())) {
                sinceOf[free.remove()] = now;
            }
            port.ring();
            now = clock.nanoTime();
            int taken = port.poll(POLL_MAX, onEnd);
            if (taken > 0) {
                moved = now;
                Linger.after(taken, port.inFlight(), clock);
            } else {
                clock.turn();
                now = clock.nanoTime();
            }
            if (now - moved > load.timeoutNanos()) {
                throw late();
            }
            if (++count % CANCEL_EVERY == 0) {
                checkCancelled();
            }
        }
    }

    /** Returns whether too few commands ended for a rate. */
    private boolean isTooShort() {
        return recording && commands < load.depth();
    }

    private boolean submit(int slot) {
        long lba;
        if (load.command() == Load.Command.READ) {
            lba = load.lba() + next % chunks * blocks;
        } else {
            lba = ownLba(slot);
        }
        boolean done = submit(slot, lba);
        next += done ? 1 : 0;
        return done;
    }

    private boolean submit(int slot, long lba) {
        int number = firstSlot + slot;
        return switch (load.command()) {
            case READ -> port.submitRead(number, lba, blocks);
            case COMPARE -> port.submitCompare(number, lba, blocks);
            case WRITE -> port.submitWrite(number, lba, blocks);
        };
    }

    private long ownLba(int slot) {
        return load.lba() + (long) slot % chunks * blocks;
    }

    private void ended(int slot, int status) {
        statusOf[slot] = status;
        if (status != 0 && !port.isMiscompare(status)) {
            suspects.add(port);
        }
        if (slot >= load.depth()) {
            return;
        }
        free.add(slot);
        if (status != 0) {
            failure = checking || failure != 0 ? failure : status;
        } else if (recording) {
            commands++;
            histogram.recordValue(Math.min(Math.max(0, now - sinceOf[slot]), load.timeoutNanos()));
        }
    }

    private void drain() {
        boolean done =
                clock.await(
                        () -> {
                            port.ring();
                            port.poll(POLL_MAX, onEnd);
                            return port.inFlight() == 0;
                        },
                        load.timeoutNanos());
        if (!done) {
            throw late();
        }
    }

    private void plantAll() {
        if (load.command() != Load.Command.COMPARE) {
            for (int slot = 0; slot < load.depth(); slot++) {
                poison.plant(slot, load.chunkBytes());
            }
        }
    }

    /** Runs one command in each slot, whose canary must change; returns what was wrong. */
    private String check() {
        checkCancelled();
        if (load.command() == Load.Command.COMPARE) {
            return compareFlipped();
        }
        plantAll();
        String wrong = once(load.command());
        return wrong.isEmpty() ? look() : wrong;
    }

    /** Runs one command in each slot; returns how the first one ended that failed. */
    private String once(Load.Command command) {
        checking = true;
        try {
            for (int slot = 0; slot < load.depth(); slot++) {
                free.remove();
                if (!submit(slot, ownLba(slot))) {
                    throw new IllegalStateException("the queue is full though nothing is in it");
                }
            }
            drain();
        } finally {
            checking = false;
        }
        for (int slot = 0; slot < load.depth(); slot++) {
            if (statusOf[slot] != 0) {
                return port.isMiscompare(statusOf[slot])
                        ? "a Compare of equal data ended in Compare Failure: the device does not"
                                + " read this memory"
                        : "a %s ended with %s"
                                .formatted(command.words(), port.describe(statusOf[slot]));
            }
        }
        return "";
    }

    /** Checks the canaries of the last commands; returns what was wrong. */
    private String look() {
        return switch (load.command()) {
            case READ -> lookInMemory();
            case COMPARE -> "";
            case WRITE -> lookOnMedium();
        };
    }

    private String lookInMemory() {
        int[] kept = {0};
        clock.await(
                () -> {
                    kept[0] = 0;
                    for (int slot = 0; slot < load.depth(); slot++) {
                        kept[0] += poison.isGone(slot, load.chunkBytes()) ? 0 : 1;
                    }
                    return kept[0] == 0;
                },
                ARRIVAL_NANOS);
        return kept[0] == 0
                ? ""
                : "the Reads ended with success, and in %d of %d slots a canary did not change: their"
                                .formatted(kept[0], load.depth())
                        + " data never arrived";
    }

    private String lookOnMedium() {
        String wrong = readBack();
        if (!wrong.isEmpty()) {
            return wrong;
        }
        HostMemory.HostBuffer back = Objects.requireNonNull(host);
        int lost = 0;
        for (int slot = 0; slot < load.depth(); slot++) {
            lost += poison.isIn(back, slot, load.chunkBytes()) ? 0 : 1;
        }
        return lost == 0
                ? ""
                : "the Writes ended with success, and in %d of %d slots a canary is not on the medium:"
                                .formatted(lost, load.depth())
                        + " other data was written";
    }

    /** Reads the blocks of every slot into host memory. */
    private String readBack() {
        for (int slot = 0; slot < load.depth(); slot++) {
            if (!port.submitRead(firstHost + slot, ownLba(slot), blocks)) {
                throw new IllegalStateException("the queue is full though nothing is in it");
            }
        }
        drain();
        for (int slot = 0; slot < load.depth(); slot++) {
            int status = statusOf[load.depth() + slot];
            if (status != 0) {
                return "a Read into host memory ended with " + port.describe(status);
            }
        }
        return "";
    }

    /** Fills every slot with the medium's data, by stores of the processor. */
    private String fillFromMedium() {
        String wrong = readBack();
        if (!wrong.isEmpty()) {
            return wrong;
        }
        HostMemory.HostBuffer from = Objects.requireNonNull(host);
        long bytes = load.bufferBytes();
        for (long at = 0; at < bytes; at += 8) {
            buffer.store64(at, from.load64(at));
        }
        for (long at = 0; at < bytes; at += Geometry.PAGE_BYTES) {
            Poison.checkPlanted(buffer, at, from.load64(at));
        }
        return "";
    }

    private String compareFlipped() {
        String wrong = once(Load.Command.COMPARE);
        if (!wrong.isEmpty()) {
            return wrong;
        }
        long[] at = new long[load.depth()];
        for (int slot = 0; slot < load.depth(); slot++) {
            at[slot] = (long) slot * load.chunkBytes() + 8L * random.nextInt(load.chunkBytes() / 8);
            Poison.plantWord(buffer, at[slot], buffer.load64(at[slot]) ^ 1);
        }
        once(Load.Command.COMPARE);
        int blind = 0;
        for (int slot = 0; slot < load.depth(); slot++) {
            blind += port.isMiscompare(statusOf[slot]) ? 0 : 1;
            Poison.plantWord(buffer, at[slot], buffer.load64(at[slot]) ^ 1);
        }
        return blind == 0
                ? ""
                : "in %d of %d slots a Compare with a changed bit did not end in Compare Failure: the"
                                .formatted(blind, load.depth())
                        + " device does not read this memory";
    }

    private void checkCancelled() {
        if (cancel.isCancelled()) {
            throw cancel.error();
        }
    }

    private PeerlaneException late() {
        return Blame.late(
                port,
                BlockPort.NO_SLOT,
                "a %s of %s".formatted(name(), port.name()),
                load.timeoutNanos());
    }

    /** Returns how long compilers were at work, as reported by the virtual machine. */
    private static long compilerMillis() {
        CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        return compiler != null && compiler.isCompilationTimeMonitoringSupported()
                ? compiler.getTotalCompilationTime()
                : 0;
    }
}
