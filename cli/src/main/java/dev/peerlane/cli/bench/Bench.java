package dev.peerlane.cli.bench;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.cli.bench.BenchDocument.Cell;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.measure.Load;
import dev.peerlane.measure.LoadResult;
import dev.peerlane.measure.LoadRun;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Measures the cells of {@code bench}, one after the other. */
final class Bench {
    private static final int LEAST_CHUNK = 4096;
    private static final int USUAL_CHUNK = 128 * 1024;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;

    /** A way: who, with which blocks, into or out of whose memory. */
    private record Way(
            Namespace namespace,
            @Nullable String owner,
            Load.Command command,
            String route,
            long lba,
            long blocks) {
        String initiator() {
            return namespace.device().locator();
        }
    }

    private final Context context;
    private final Session session;
    private final List<String> devices;
    private final BenchWish wish;
    private final SplittableRandom seeds;
    private final Map<String, Namespace> namespaces = new LinkedHashMap<>();
    private final Map<String, ControllerMemoryBuffer> memories = new LinkedHashMap<>();
    private final List<Cell> cells = new ArrayList<>();
    private boolean warm;

    Bench(Context context, Session session, List<String> devices, BenchWish wish) {
        this.context = context;
        this.session = session;
        this.devices = devices;
        this.wish = wish;
        seeds = new SplittableRandom(wish.seed());
    }

    /** Returns what was measured so far. */
    List<Cell> cells() {
        return cells;
    }

    /** Brings everything up; returns what can't take part, one sentence each. */
    List<String> open() {
        List<String> absences = new ArrayList<>();
        for (String device : devices) {
            context.interruption().check();
            Controller controller = session.controller(device);
            int[] active = controller.activeNamespaces();
            if (active.length == 0) {
                absences.add(device + " has no namespace, so it starts no transfers");
            } else {
                Namespace namespace = controller.namespace(active[0]);
                namespace.checkUsable();
                namespaces.put(device, namespace);
            }
            try {
                ControllerMemoryBuffer cmb = controller.requireCmb();
                if (!cmb.isEnabled()) {
                    cmb.enable(session.fabric().dma());
                }
                memories.put(device, cmb);
            } catch (PeerlaneException e) {
                absences.add(String.valueOf(e.getMessage()));
            }
        }
        return absences;
    }

    /** Returns the facts of the devices, after {@link #open}. */
    List<BenchDocument.DeviceFacts> facts() {
        List<BenchDocument.DeviceFacts> facts = new ArrayList<>();
        for (String device : devices) {
            Controller controller = session.controller(device);
            var function = session.fabric().machine().function(controller.device().bdf());
            var link = function.map(f -> f.link()).orElse(null);
            Namespace namespace = namespaces.get(device);
            ControllerMemoryBuffer cmb = memories.get(device);
            facts.add(
                    new BenchDocument.DeviceFacts(
                            device,
                            controller.device().bdf().toString(),
                            controller.identity().mn(),
                            controller.identity().sn(),
                            controller.identity().fr(),
                            link == null ? null : link.toString(),
                            namespace == null ? 0 : namespace.blockBytes(),
                            controller.maxTransferBytes(),
                            cmb == null ? 0 : cmb.sizeBytes(),
                            cmb == null ? null : "0x%x".formatted(cmb.busAddress())));
        }
        return facts;
    }

    /** Measures everything. What was measured before an error is in {@link #cells}. */
    void run() {
        List<Way> ways = ways();
        for (Way way : ways) {
            cell(BenchDocument.MATRIX, way, chunk(way), wish.depth());
        }
        Extent scratch = wish.scratch();
        if (scratch != null) {
            new BenchCopies(context, session, wish, scratch).run(namespaces.values(), cells);
        }
        if (wish.sweep() == BenchWish.Sweep.NONE) {
            return;
        }
        for (Way way : swept(ways)) {
            for (int size : sizes(way)) {
                cell(BenchDocument.SIZES, way, size, wish.depth());
            }
            for (int depth : wish.depths()) {
                cell(BenchDocument.DEPTHS, way, leastChunk(way), depth);
            }
        }
    }

    private List<Way> ways() {
        List<Way> ways = new ArrayList<>();
        for (Namespace namespace : namespaces.values()) {
            String initiator = namespace.device().locator();
            List<@Nullable String> owners = new ArrayList<>(memories.keySet());
            owners.add(null);
            Extent scratch = wish.scratch();
            for (String owner : owners) {
                ways.add(way(namespace, owner, Load.Command.READ, 0, namespace.blockCount()));
                ways.add(way(namespace, owner, Load.Command.COMPARE, 0, namespace.blockCount()));
                if (scratch != null && scratch.device().equals(initiator)) {
                    ways.add(
                            way(
                                    session.namespace(scratch),
                                    owner,
                                    Load.Command.WRITE,
                                    Objects.requireNonNull(scratch.slba()),
                                    Objects.requireNonNull(scratch.blocks())));
                }
            }
        }
        return ways;
    }

    private Way way(
            Namespace namespace,
            @Nullable String owner,
            Load.Command command,
            long lba,
            long blocks) {
        String route = owner == null ? "host memory" : verdict(namespace, owner, command).words();
        return new Way(namespace, owner, command, route, lba, blocks);
    }

    private Verdict verdict(Namespace namespace, String owner, Load.Command command) {
        return Route.between(
                        session.fabric().machine(),
                        namespace.device().bdf(),
                        session.controller(owner).device().bdf())
                .verdict(command.direction());
    }

    /** The first way between two devices with what belongs to it, or all; host memory beside. */
    private List<Way> swept(List<Way> ways) {
        List<Way> peers =
                ways.stream()
                        .filter(w -> w.owner() != null && !w.initiator().equals(w.owner()))
                        .toList();
        if (wish.sweep() == BenchWish.Sweep.ALL) {
            return ways;
        }
        Way first = peers.isEmpty() ? ways.getFirst() : peers.getFirst();
        return ways.stream()
                .filter(w -> w.initiator().equals(first.initiator()))
                .filter(w -> w.owner() == null || w.owner().equals(first.owner()))
                .toList();
    }

    private int chunk(Way way) {
        if (wish.chunkBytes() > 0) {
            return wish.chunkBytes();
        }
        int most = Math.min(USUAL_CHUNK, way.namespace().maxTransferBytes());
        return Math.max(Integer.highestOneBit(most), way.namespace().blockBytes());
    }

    private static int leastChunk(Way way) {
        return Math.max(LEAST_CHUNK, way.namespace().blockBytes());
    }

    private List<Integer> sizes(Way way) {
        if (!wish.sizes().isEmpty()) {
            return wish.sizes();
        }
        List<Integer> sizes = new ArrayList<>();
        int most = Math.min(1 << 20, way.namespace().maxTransferBytes());
        for (int size = leastChunk(way); size <= most; size *= 2) {
            sizes.add(size);
        }
        return sizes;
    }

    private void cell(String group, Way way, int chunk, int depth) {
        context.interruption().check();
        String owner = way.owner();
        PeerMemory memory =
                owner == null
                        ? new HostMemory(session.fabric().dma())
                        : Objects.requireNonNull(memories.get(owner));
        long room =
                Math.min(memory.largestFreeBytes(), way.blocks() * way.namespace().blockBytes());
        int fit = (int) Math.min(depth, room / chunk);
        Cell cell =
                new Cell(
                        group,
                        way.initiator(),
                        way.namespace().name(),
                        owner == null ? BenchDocument.HOST : owner,
                        way.command().direction().word(),
                        way.command().words(),
                        null,
                        way.route(),
                        chunk,
                        Math.max(fit, 1),
                        "skipped",
                        null,
                        0,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null);
        String against = against(way, memory, chunk, fit);
        if (group.equals(BenchDocument.DEPTHS) && fit < depth && against.isEmpty()) {
            against = "there is room for %d transfers of %d bytes".formatted(fit, chunk);
        }
        if (!against.isEmpty()) {
            cells.add(cell.skipped(against));
            return;
        }
        if (!warm) {
            warm = true;
            measure(way, memory, chunk, fit); // pays for the machine code of all that follow
        }
        if (context.verbose()) {
            context.terminal()
                    .say(
                            "Measuring %s of %s, %s memory of %s, %d bytes, %d at once."
                                    .formatted(
                                            way.command().words(),
                                            way.namespace().name(),
                                            way.command().intoMemory() ? "into" : "out of",
                                            cell.memory(),
                                            chunk,
                                            fit));
        }
        cells.add(cell.with(measure(way, memory, chunk, fit)));
    }

    private String against(Way way, PeerMemory memory, int chunk, int fit) {
        String owner = way.owner();
        if (fit < 1) {
            return "there is no room for a transfer of %d bytes: %d are free in the memory"
                    .formatted(chunk, memory.largestFreeBytes());
        }
        if (way.command() == Load.Command.COMPARE
                && !way.namespace().controllerIdentity().oncs().compare()) {
            return way.initiator() + " has no Compare command: name a scratch range for Writes";
        }
        if (chunk > way.namespace().maxTransferBytes()) {
            return "%s transfers at most %d bytes"
                    .formatted(way.initiator(), way.namespace().maxTransferBytes());
        }
        if (owner == null) {
            return "";
        }
        boolean own = owner.equals(way.initiator());
        if (own && !(way.command().intoMemory() ? memory.ownerMayRead() : memory.ownerMayWrite())) {
            return "its CMB may not hold the data of its own commands (CMBSZ.%s = 0)"
                    .formatted(way.command().intoMemory() ? "RDS" : "WDS");
        }
        Verdict verdict = verdict(way.namespace(), owner, way.command());
        return verdict.allowed() || wish.anyRoute()
                ? ""
                : verdict.words() + ": --any-route measures it all the same";
    }

    private LoadResult measure(Way way, PeerMemory memory, int chunk, int depth) {
        Load load =
                new Load(
                        way.command(),
                        chunk,
                        depth,
                        way.lba(),
                        way.blocks(),
                        wish.nanos(),
                        TIMEOUT_NANOS,
                        seeds.nextLong());
        try (NvmeBlockPort port = way.namespace().port(depth)) {
            return LoadRun.run(
                    load,
                    port,
                    memory,
                    session.fabric().dma(),
                    session.fabric().clock(),
                    context.interruption().flag());
        }
    }
}
