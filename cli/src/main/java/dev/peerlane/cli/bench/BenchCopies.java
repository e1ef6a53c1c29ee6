package dev.peerlane.cli.bench;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.bench.BenchDocument.Cell;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.nvme.Namespace;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What it comes to from end to end: whole copies into the scratch range, by a CMB, and through host
 * memory beside. The two take turns, so that what else the machine does befalls both.
 */
final class BenchCopies {
    private static final long MOST_BYTES = 1L << 30;
    private static final int MOST_ROUNDS = 64;

    private final Context context;
    private final Session session;
    private final BenchWish wish;
    private final Extent scratch;

    BenchCopies(Context context, Session session, BenchWish wish, Extent scratch) {
        this.context = context;
        this.session = session;
        this.wish = wish;
        this.scratch = scratch;
    }

    /** What the copies of one kind came to. */
    private final class Sum {
        private final BufferChoice by;
        private final Namespace from;
        private long bytes;
        private double seconds;
        private double cpuSeconds;
        private @Nullable Receipt last;
        private @Nullable PeerlaneException failure;

        Sum(BufferChoice by, Namespace from) {
            this.by = by;
            this.from = from;
        }

        boolean isOver() {
            return failure != null || seconds * 1e9 >= wish.nanos();
        }

        void copy(Extent source, Extent target) {
            try {
                CopyOptions how = CopyOptions.DEFAULTS.withBuffer(by).withSeed(wish.seed());
                CopyPlan plan = session.plan(source, target, how);
                if (by.kind() == null && plan.kind() == BufferKind.HOST) {
                    throw PeerlaneException.machine(
                            "no-peer-memory",
                            "no CMB carries this copy: " + String.join("; ", plan.reasons()),
                            "See peerlane topology");
                }
                Receipt receipt = session.run(plan, context.interruption().flag(), Progress.NONE);
                bytes += receipt.bytesCopied();
                seconds += receipt.seconds();
                cpuSeconds += receipt.cpuSeconds();
                last = receipt;
            } catch (PeerlaneException e) {
                if (e.category() == PeerlaneException.Category.INTERRUPTED) {
                    throw e;
                }
                failure = e;
            }
        }

        Cell cell(Namespace to) {
            Receipt receipt = last;
            Receipt.Buffer buffer = receipt == null ? null : receipt.buffer();
            boolean measured = failure == null && receipt != null && seconds > 0;
            boolean moved = failure != null && failure.category() == PeerlaneException.Category.IO;
            return new Cell(
                    BenchDocument.COPIES,
                    from.device().locator(),
                    to.name(),
                    memory(buffer),
                    "copy",
                    "Read, Write",
                    buffer == null ? null : buffer.address(),
                    buffer == null ? "" : buffer.kind(),
                    receipt == null ? 0 : receipt.chunkBytes(),
                    receipt == null ? 0 : receipt.slots(),
                    measured ? "measured" : moved ? "void" : "skipped",
                    failure == null ? null : failure.getMessage(),
                    0,
                    measured ? bytes / seconds : null,
                    null,
                    null,
                    measured ? cpuSeconds * (1L << 30) / bytes : null,
                    null,
                    measured ? seconds : null);
        }

        private String memory(Receipt.@Nullable Buffer buffer) {
            if (buffer == null || buffer.device() == null) {
                return by.kind() == null ? "peer" : BenchDocument.HOST;
            }
            return buffer.device();
        }
    }

    /** Measures both ways from every other device, one pair after the other. */
    void run(Iterable<Namespace> sources, List<Cell> cells) {
        Namespace to = session.namespace(scratch);
        for (Namespace from : sources) {
            if (from.device() != to.device()) {
                cells.addAll(pair(from, to));
            }
        }
    }

    private List<Cell> pair(Namespace from, Namespace to) {
        long unit = Math.max(from.blockBytes(), to.blockBytes());
        long room = Objects.requireNonNull(scratch.blocks()) * to.blockBytes();
        long all = from.blockCount() * from.blockBytes();
        long bytes = Math.min(MOST_BYTES, Math.min(room, all)) / unit * unit;
        Extent source = extent(from, 0, bytes);
        Extent target = extent(to, Objects.requireNonNull(scratch.slba()), bytes);
        Sum peer = new Sum(BufferChoice.AUTO, from);
        Sum host = new Sum(BufferChoice.HOST, from);
        for (int round = 0; round < MOST_ROUNDS && !(peer.isOver() && host.isOver()); round++) {
            for (Sum sum : List.of(peer, host)) {
                context.interruption().check();
                if (sum.failure == null) {
                    sum.copy(source, target);
                }
            }
        }
        return List.of(peer.cell(to), host.cell(to));
    }

    private static Extent extent(Namespace namespace, long slba, long bytes) {
        return new Extent(
                namespace.device().locator(),
                namespace.nsid(),
                slba,
                bytes / namespace.blockBytes());
    }
}
