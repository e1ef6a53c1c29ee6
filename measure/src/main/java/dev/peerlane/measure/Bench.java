package dev.peerlane.measure;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.measure.Figure.Group;
import dev.peerlane.measure.Figure.Obstacle;
import dev.peerlane.measure.Figure.Skipped;
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

/**
 * Measures how fast devices reach each other's memory, figure by figure: a load in every direction,
 * whole copies into a scratch range, and sweeps of sizes and depths.
 */
public final class Bench {
    private static final int LEAST_CHUNK = 4096;
    private static final int USUAL_CHUNK = 128 * 1024;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;

    /** Observes a bench from figure to figure. */
    public interface Observer {
        /** Called between two figures. An exception ends the bench. */
        void between();

        /** Called before a load is measured. */
        void measuring(LoadWay way, int chunkBytes, int depth);
    }

    /**
     * A device that takes part.
     *
     * @param name the name by which the user named it
     * @param controller its controller
     * @param namespace the namespace whose blocks its transfers use, or null if it starts none
     * @param memory its CMB, or null if it has none
     */
    public record Participant(
            String name,
            Controller controller,
            @Nullable Namespace namespace,
            @Nullable ControllerMemoryBuffer memory) {}

    private final Session session;
    private final List<String> devices;
    private final BenchWish wish;
    private final CancelFlag cancel;
    private final Observer observer;
    private final SplittableRandom seeds;
    private final Map<String, Namespace> namespaces = new LinkedHashMap<>();
    private final Map<String, ControllerMemoryBuffer> memories = new LinkedHashMap<>();
    private final List<Figure> figures = new ArrayList<>();
    private boolean warm;

    /**
     * Creates a bench.
     *
     * @param devices the devices of the session that take part
     * @param cancel ends a load or a copy that is running
     */
    public Bench(
            Session session,
            List<String> devices,
            BenchWish wish,
            CancelFlag cancel,
            Observer observer) {
        this.session = session;
        this.devices = List.copyOf(devices);
        this.wish = wish;
        this.cancel = cancel;
        this.observer = observer;
        seeds = new SplittableRandom(wish.seed());
    }

    /** Returns the figures so far. */
    public List<Figure> figures() {
        return List.copyOf(figures);
    }

    /** Brings up all devices; returns what can't take part, one sentence each. */
    public List<String> open() {
        List<String> absences = new ArrayList<>();
        for (String device : devices) {
            observer.between();
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

    /** Returns the participants. Call {@link #open} first. */
    public List<Participant> participants() {
        return devices.stream()
                .map(d ->
                        new Participant(
                                d, session.controller(d), namespaces.get(d), memories.get(d)))
                .toList();
    }

    /** Measures everything. After an error, {@link #figures} has what was measured before. */
    public void run() {
        List<LoadWay> ways = ways();
        for (LoadWay way : ways) {
            load(Group.MATRIX, way, chunk(way), wish.matrix().depth());
        }
        Extent scratch = wish.scratch();
        if (scratch != null) {
            new BenchCopies(session, wish, scratch, cancel, observer::between)
                    .run(namespaces.values(), figures::add);
        }
        if (wish.sweeps().of() == BenchWish.Swept.NONE) {
            return;
        }
        for (LoadWay way : swept(ways)) {
            for (int size : sizes(way)) {
                load(Group.SIZES, way, size, wish.matrix().depth());
            }
            for (int depth : wish.sweeps().depths()) {
                load(Group.DEPTHS, way, leastChunk(way), depth);
            }
        }
    }

    private List<LoadWay> ways() {
        List<LoadWay> ways = new ArrayList<>();
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

    private LoadWay way(
            Namespace namespace,
            @Nullable String owner,
            Load.Command command,
            long lba,
            long blocks) {
        String route = owner == null ? "host memory" : verdict(namespace, owner, command).words();
        return new LoadWay(namespace, owner, command, route, lba, blocks);
    }

    private Verdict verdict(Namespace namespace, String owner, Load.Command command) {
        return Route.between(
                        session.fabric().machine(),
                        namespace.device().bdf(),
                        session.controller(owner).device().bdf())
                .verdict(command.direction());
    }

    /**
     * Returns the loads that have sweeps: the first one between two devices with those that belong
     * to it, or all; host memory is included.
     */
    private List<LoadWay> swept(List<LoadWay> ways) {
        List<LoadWay> peers =
                ways.stream()
                        .filter(w -> w.owner() != null && !w.initiator().equals(w.owner()))
                        .toList();
        if (wish.sweeps().of() == BenchWish.Swept.ALL) {
            return ways;
        }
        LoadWay first = peers.isEmpty() ? ways.getFirst() : peers.getFirst();
        return ways.stream()
                .filter(w -> w.initiator().equals(first.initiator()))
                .filter(w -> w.owner() == null || w.owner().equals(first.owner()))
                .toList();
    }

    private int chunk(LoadWay way) {
        if (wish.matrix().chunkBytes() > 0) {
            return wish.matrix().chunkBytes();
        }
        int most = Math.min(USUAL_CHUNK, way.namespace().maxTransferBytes());
        return Math.max(Integer.highestOneBit(most), way.namespace().blockBytes());
    }

    private static int leastChunk(LoadWay way) {
        return Math.max(LEAST_CHUNK, way.namespace().blockBytes());
    }

    private List<Integer> sizes(LoadWay way) {
        if (!wish.sweeps().sizes().isEmpty()) {
            return wish.sweeps().sizes();
        }
        List<Integer> sizes = new ArrayList<>();
        int most = Math.min(1 << 20, way.namespace().maxTransferBytes());
        for (int size = leastChunk(way); size <= most; size *= 2) {
            sizes.add(size);
        }
        return sizes;
    }

    private void load(Group group, LoadWay way, int chunk, int depth) {
        observer.between();
        String owner = way.owner();
        PeerMemory memory =
                owner == null
                        ? new HostMemory(session.fabric().dma())
                        : Objects.requireNonNull(memories.get(owner));
        long room = Math.min(memory.largestFreeBytes(), way.bytes());
        int fit = (int) Math.min(depth, room / chunk);
        Skipped skipped = against(way, memory, chunk, fit);
        if (group == Group.DEPTHS && fit < depth && skipped == null) {
            skipped =
                    new Skipped(
                            Obstacle.DEVICE,
                            "there is room for %d transfers of %d bytes".formatted(fit, chunk));
        }
        LoadResult result = null;
        if (skipped == null) {
            if (!warm) {
                warm = true;
                measure(way, memory, chunk, fit); // pays for the machine code of all that follow
            }
            observer.measuring(way, chunk, fit);
            result = measure(way, memory, chunk, fit);
        }
        figures.add(new Figure.OfLoad(group, way, chunk, Math.max(fit, 1), skipped, result));
    }

    private @Nullable Skipped against(LoadWay way, PeerMemory memory, int chunk, int fit) {
        String words = inTheWay(way, memory, chunk, fit);
        if (words != null) {
            return new Skipped(Obstacle.DEVICE, words);
        }
        String owner = way.owner();
        if (owner == null || wish.routes() == BenchWish.Routes.ALL) {
            return null;
        }
        Verdict verdict = verdict(way.namespace(), owner, way.command());
        return verdict.allowed() ? null : new Skipped(Obstacle.ROUTE, verdict.words());
    }

    /** Returns what about device or memory prevents a load, or null. */
    private static @Nullable String inTheWay(LoadWay way, PeerMemory memory, int chunk, int fit) {
        boolean into = way.command().intoMemory();
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
        if (way.initiator().equals(way.owner())
                && !(into ? memory.ownerMayRead() : memory.ownerMayWrite())) {
            return "its CMB may not hold the data of its own commands (CMBSZ.%s = 0)"
                    .formatted(into ? "RDS" : "WDS");
        }
        return null;
    }

    private LoadResult measure(LoadWay way, PeerMemory memory, int chunk, int depth) {
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
                    load, port, memory, session.fabric().dma(), session.fabric().clock(), cancel);
        }
    }
}
