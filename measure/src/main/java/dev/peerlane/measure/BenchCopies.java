package dev.peerlane.measure;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.Namespace;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Measures whole copies into the scratch range, from end to end: through a CMB and, for comparison,
 * through host memory. The two alternate, so that other work of the machine affects both alike.
 */
final class BenchCopies {
    private static final long MOST_BYTES = 1L << 30;
    private static final int MOST_ROUNDS = 64;

    private final Session session;
    private final BenchWish wish;
    private final Extent scratch;
    private final CancelFlag cancel;
    private final Runnable between;

    /**
     * Creates the measurement.
     *
     * @param between runs before each copy, and may throw to end the run
     */
    BenchCopies(
            Session session, BenchWish wish, Extent scratch, CancelFlag cancel, Runnable between) {
        this.session = session;
        this.wish = wish;
        this.scratch = scratch;
        this.cancel = cancel;
        this.between = between;
    }

    /** The copies through one kind of memory. */
    private final class Series {
        private final BufferChoice by;
        private Figure.Sum sum = Figure.Sum.NONE;
        private @Nullable Receipt last;
        private @Nullable PeerlaneException failure;

        Series(BufferChoice by) {
            this.by = by;
        }

        boolean isOver() {
            return failure != null || sum.seconds() * 1e9 >= wish.nanos();
        }

        void copy(Extent source, Extent target) {
            try {
                CopyOptions how =
                        CopyOptions.DEFAULTS
                                .withBuffer(by)
                                .withOverwrite(true)
                                .withSeed(wish.seed());
                CopyPlan plan = session.plan(source, target, how);
                if (by.kind() == null && plan.kind() == BufferKind.HOST) {
                    throw PeerlaneException.machine(
                            "no-peer-memory",
                            "no CMB carries this copy: " + String.join("; ", plan.reasons()),
                            "Look at the routes between the devices");
                }
                Receipt receipt = session.run(plan, cancel, Progress.NONE);
                sum = sum.plus(receipt);
                last = receipt;
            } catch (PeerlaneException e) {
                if (e.category() == PeerlaneException.Category.INTERRUPTED) {
                    throw e;
                }
                failure = e;
            }
        }

        Figure figure(Namespace from, Namespace to) {
            return new Figure.OfCopies(from, to, by, sum, last, failure);
        }
    }

    /** Measures both kinds of copies from every other device, pair by pair. */
    void run(Iterable<Namespace> sources, Consumer<Figure> figures) {
        Namespace to = session.namespace(scratch);
        for (Namespace from : sources) {
            if (from.device() != to.device()) {
                pair(from, to).forEach(figures);
            }
        }
    }

    private List<Figure> pair(Namespace from, Namespace to) {
        long unit = Math.max(from.blockBytes(), to.blockBytes());
        long room = Objects.requireNonNull(scratch.blocks()) * to.blockBytes();
        long all = from.blockCount() * from.blockBytes();
        long bytes = Math.min(MOST_BYTES, Math.min(room, all)) / unit * unit;
        Extent source = extent(from, 0, bytes);
        Extent target = extent(to, Objects.requireNonNull(scratch.slba()), bytes);
        Series peer = new Series(BufferChoice.AUTO);
        Series host = new Series(BufferChoice.HOST);
        for (int round = 0; round < MOST_ROUNDS && !(peer.isOver() && host.isOver()); round++) {
            for (Series series : List.of(peer, host)) {
                between.run();
                if (series.failure == null) {
                    series.copy(source, target);
                }
            }
        }
        return List.of(peer.figure(from, to), host.figure(from, to));
    }

    private static Extent extent(Namespace namespace, long slba, long bytes) {
        return new Extent(
                namespace.device().locator(),
                namespace.nsid(),
                slba,
                bytes / namespace.blockBytes());
    }
}
