package dev.peerlane.probe;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.spec.wire.Cns;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Measures whether a route works, instead of relying on its verdict. Writes to no medium.
 *
 * <p>A peer write is a Read of one block into the peer's memory, which was filled with other words
 * first; the expected content comes from a Read into host memory. An initiator without a readable
 * namespace executes Identify into that memory instead. A peer read is a Compare with the block in
 * the peer's memory. It must succeed, and after one bit was changed it must end in Compare Failure
 * (285h). A fabric that answers reads with anything else fails one of the two.
 */
public final class Probe {
    private static final int MEDIA_ERROR = 2;
    private static final int COMPARE_FAILURE = 0x85;
    private static final long ARRIVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAGE_BYTES = Bits.PAGE_BYTES;
    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(java.nio.ByteOrder.LITTLE_ENDIAN);

    private final Session session;
    private final String initiator;
    private final String owner;
    private final Route route;

    private Probe(Session session, String initiator, String owner) {
        this.session = session;
        this.initiator = initiator;
        this.owner = owner;
        route =
                Route.between(
                        session.fabric().machine(),
                        session.controller(initiator).device().bdf(),
                        session.controller(owner).device().bdf());
    }

    /**
     * The measurement of one route in one direction.
     *
     * @param initiator the device that did the DMA
     * @param owner the device whose memory was accessed
     * @param direction {@code write} or {@code read}
     * @param outcome {@code works}, {@code failed}, or {@code not-probed}
     * @param predicted the verdict on the route
     * @param agrees whether the outcome is what the verdict predicts; true if the verdict predicts
     *     nothing
     * @param detail the observation, in words
     * @param newErrors ports of the route whose AER status changed meanwhile
     */
    public record Result(
            String initiator,
            String owner,
            String direction,
            String outcome,
            String predicted,
            boolean agrees,
            String detail,
            List<String> newErrors) {
        /** Copies the list. */
        public Result {
            newErrors = List.copyOf(newErrors);
        }

        /** Returns the result as a sentence. */
        public String words() {
            return "%s %s %s: %s (%s); predicted: %s%s%s"
                    .formatted(
                            initiator,
                            direction.equals("write") ? "writes to" : "reads from",
                            owner,
                            outcome.replace('-', ' '),
                            detail,
                            predicted,
                            agrees ? "" : ", which DIFFERS",
                            newErrors.isEmpty() ? "" : "; new errors at " + newErrors);
        }
    }

    /** Returns a warning if an error on the route can take the machine down. */
    public static Optional<String> warning(Fabric fabric, String source, String target) {
        if (!fabric.traits().outlivesProcess()) {
            return Optional.empty();
        }
        Machine machine = fabric.machine();
        Route route = Route.between(machine, Bdf.parse(source), Bdf.parse(target));
        boolean contained = route.bridges().stream().anyMatch(b -> b.details().containsErrors());
        return contained
                ? Optional.empty()
                : Optional.of(
                        "No port between %s and %s contains errors (DPC): a fatal one can take the"
                                        .formatted(source, target)
                                + " machine down.");
    }

    /**
     * Measures both directions between two devices, each with the other's memory if it has one.
     * Reads the first block of each device's first active namespace.
     *
     * @throws PeerlaneException if a device can't be opened, or fails other than by a command's
     *     status
     */
    public static List<Result> between(Session session, String one, String other) {
        List<Result> results = new ArrayList<>(new Probe(session, one, other).measure());
        if (!one.equals(other)) {
            results.addAll(new Probe(session, other, one).measure());
        }
        return results;
    }

    /**
     * Measures the routes from two devices to the memory of a third one.
     *
     * @throws PeerlaneException if a device can't be opened, or fails other than by a command's
     *     status
     */
    public static List<Result> through(Session session, String one, String other, String third) {
        List<Result> results = new ArrayList<>(new Probe(session, one, third).measure());
        results.addAll(new Probe(session, other, third).measure());
        return results;
    }

    private List<Result> measure() {
        Optional<ControllerMemoryBuffer> memory = session.controller(owner).cmb();
        if (memory.isEmpty()) {
            String why = owner + " has no CMB";
            return List.of(notProbed(Direction.WRITE, why), notProbed(Direction.READ, why));
        }
        if (!memory.get().isEnabled()) {
            memory.get().enable(session.fabric().dma());
        }
        Controller controller = session.controller(initiator);
        int[] namespaces = controller.activeNamespaces();
        if (namespaces.length == 0) {
            return byIdentify(controller, memory.get(), initiator + " has no namespace");
        }
        Namespace namespace = controller.namespace(namespaces[0]);
        try {
            namespace.checkUsable();
        } catch (PeerlaneException e) {
            return byIdentify(controller, memory.get(), String.valueOf(e.getMessage()));
        }
        return byBlock(namespace, memory.get());
    }

    private List<Result> byIdentify(
            Controller controller, ControllerMemoryBuffer memory, String whyNoRead) {
        try (PeerBuffer slot = memory.allocate(PAGE_BYTES, PAGE_BYTES)) {
            long[] page = words(controller.admin().identify(Cns.CONTROLLER, 0, 0), PAGE_BYTES);
            Result write =
                    watched(
                            Direction.WRITE,
                            PAGE_BYTES,
                            "Identify",
                            () ->
                                    peerWrite(
                                            slot,
                                            page,
                                            "Identify",
                                            () -> controller.admin().identifyInto(slot)));
            return List.of(write, notProbed(Direction.READ, whyNoRead));
        }
    }

    private List<Result> byBlock(Namespace namespace, ControllerMemoryBuffer memory) {
        int blockBytes = namespace.blockBytes();
        long length = Math.max(PAGE_BYTES, blockBytes);
        try (DmaBuffer host = namespace.dma().allocate(length);
                PeerBuffer slot = memory.allocate(length, PAGE_BYTES)) {
            namespace.read(host, 0, 0, 1);
            long[] block = words(host.segment(), blockBytes);
            Result write =
                    watched(
                            Direction.WRITE,
                            blockBytes,
                            "Read",
                            () ->
                                    peerWrite(
                                            slot,
                                            block,
                                            "Read",
                                            () -> namespace.read(slot, 0, 0, 1)));
            boolean compares = namespace.controllerIdentity().oncs().compare();
            Result read =
                    compares
                            ? watched(
                                    Direction.READ,
                                    blockBytes,
                                    "Compare",
                                    () -> peerRead(namespace, slot, block))
                            : notProbed(Direction.READ, initiator + " has no Compare command");
            return List.of(write, read);
        }
    }

    private static long[] words(MemorySegment from, long bytes) {
        long[] words = new long[(int) (bytes / 8)];
        for (int i = 0; i < words.length; i++) {
            words[i] = from.get(WORD, 8L * i);
        }
        return words;
    }

    /** Measures a peer write. Returns what went wrong; empty if nothing did. */
    private String peerWrite(PeerBuffer slot, long[] expected, String command, Runnable run) {
        for (int i = 0; i < expected.length; i++) {
            slot.store64(8L * i, ~expected[i]);
        }
        // the stores are posted: reading the last word back drains them
        slot.load64(8L * (expected.length - 1));
        run.run();
        int[] wrong = {0};
        session.fabric()
                .clock()
                .await(
                        () -> {
                            wrong[0] = differing(slot, expected);
                            return wrong[0] == 0;
                        },
                        ARRIVAL_NANOS);
        return wrong[0] == 0
                ? ""
                : "the %s ended with success, and %d of %d words did not arrive"
                        .formatted(command, wrong[0], expected.length);
    }

    private static int differing(PeerBuffer slot, long[] block) {
        int count = 0;
        for (int i = 0; i < block.length; i++) {
            count += slot.load64(8L * i) == block[i] ? 0 : 1;
        }
        return count;
    }

    private static String peerRead(Namespace namespace, PeerBuffer slot, long[] block) {
        for (int i = 0; i < block.length; i++) {
            slot.store64(8L * i, block[i]);
        }
        if (differing(slot, block) != 0) {
            return "its memory does not keep the processor's stores";
        }
        if (!comparesEqual(namespace, slot)) {
            return "a Compare of equal data ended in Compare Failure";
        }
        slot.store64(0, block[0] ^ 1);
        slot.load64(0);
        return comparesEqual(namespace, slot)
                ? "a Compare of different data ended with success: it did not read the peer"
                : "";
    }

    private static boolean comparesEqual(Namespace namespace, PeerBuffer slot) {
        try {
            namespace.compare(slot, 0, 0, 1);
            return true;
        } catch (NvmeStatusException e) {
            if (e.statusCodeType() == MEDIA_ERROR && e.statusCode() == COMPARE_FAILURE) {
                return false;
            }
            throw e;
        }
    }

    private Result watched(
            Direction way, long bytes, String command, Supplier<String> measurement) {
        List<PciFunction> before = onTheWay();
        String wrong;
        try {
            wrong = measurement.get();
        } catch (NvmeStatusException e) {
            wrong = String.valueOf(e.getMessage());
        }
        List<PciFunction> after = onTheWay();
        List<String> errors = new ArrayList<>();
        for (int i = 0; i < Math.min(before.size(), after.size()); i++) {
            if (!errors(before.get(i).details()).equals(errors(after.get(i).details()))) {
                errors.add(after.get(i).bdf().toString());
            }
        }
        boolean works = wrong.isEmpty();
        boolean knows =
                switch (route.verdict(way)) {
                    case OWN, DIRECT, ROOT_TRUSTED, REFUSED -> true;
                    case ROOT_UNTRUSTED, REDIRECTED, UNKNOWN -> false;
                };
        return new Result(
                initiator,
                owner,
                way.word(),
                works ? "works" : "failed",
                route.verdict(way).words(),
                !knows || works == route.verdict(way).allowed(),
                works ? "%d bytes checked by %s".formatted(bytes, command) : wrong,
                errors);
    }

    private List<PciFunction> onTheWay() {
        Machine machine = session.fabric().machine();
        List<PciFunction> way = new ArrayList<>();
        machine.function(route.initiator()).ifPresent(way::add);
        route.bridges().forEach(b -> machine.function(b.bdf()).ifPresent(way::add));
        machine.function(route.owner()).ifPresent(way::add);
        return way;
    }

    private static List<Long> errors(PciDetails d) {
        return List.of((long) d.uncorrectable(), (long) d.correctable(), d.errorTotal());
    }

    private Result notProbed(Direction way, String why) {
        return new Result(
                initiator,
                owner,
                way.word(),
                "not-probed",
                route.verdict(way).words(),
                true,
                why,
                List.of());
    }
}
