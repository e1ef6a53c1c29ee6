package dev.peerlane.open;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Measures a route instead of believing the verdict on it, without writing to any medium.
 *
 * <p>A peer write is a Read of one block into the peer's memory, which was filled with other words
 * before; the block is known from a Read into host memory. A peer read is a Compare of that block
 * from the peer's memory, which must succeed, and after one bit was changed must end in Compare
 * Failure (285h): a fabric that answers reads with anything else fails one of the two.
 */
public final class Probe {
    private static final int MEDIA_ERROR = 2;
    private static final int COMPARE_FAILURE = 0x85;
    private static final long ARRIVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAGE_BYTES = 4096;
    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(java.nio.ByteOrder.LITTLE_ENDIAN);

    private final Session session;
    private final Namespace namespace;
    private final ControllerMemoryBuffer memory;
    private final long blockBytes;

    private Probe(Session session, Namespace namespace, ControllerMemoryBuffer memory) {
        this.session = session;
        this.namespace = namespace;
        this.memory = memory;
        blockBytes = namespace.blockBytes();
    }

    /**
     * What was measured on one route in one direction.
     *
     * @param initiator who did the DMA
     * @param owner whose memory it used
     * @param direction {@code write} or {@code read}
     * @param outcome {@code works}, {@code failed}, or {@code not-probed}
     * @param predicted the verdict
     * @param agrees whether the outcome is what the verdict predicts; a verdict that knows nothing
     *     predicts nothing
     * @param detail what was seen
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
        /** Keeps its own copy of the list. */
        public Result {
            newErrors = List.copyOf(newErrors);
        }

        /** Returns it in words. */
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

    /** Returns a warning where a packet that goes wrong can take the machine down. */
    public static Optional<String> warning(Fabric fabric, String source, String target) {
        if (!fabric.kind().equals("vfio")) {
            return Optional.empty();
        }
        Machine machine = fabric.machine();
        Route route = Route.between(machine, Bdf.parse(source), Bdf.parse(target));
        boolean contained =
                route.bridges().stream()
                        .map(b -> b.details().dpc())
                        .anyMatch(dpc -> dpc != null && dpc.armed());
        return contained
                ? Optional.empty()
                : Optional.of(
                        "No port between %s and %s contains errors (DPC): a fatal one can take the"
                                        .formatted(source, target)
                                + " machine down.");
    }

    /**
     * Measures both ways between two devices, each with the memory of the other, where it has one.
     * Uses the first active namespace of each; reads its first block.
     *
     * @throws PeerlaneException if a device can't be opened or fails otherwise than by a status
     */
    public static List<Result> between(Session session, String one, String other) {
        List<Result> results = new ArrayList<>();
        results.addAll(leg(session, one, other));
        if (!one.equals(other)) {
            results.addAll(leg(session, other, one));
        }
        return results;
    }

    private static List<Result> leg(Session session, String initiator, String owner) {
        Controller controller = session.controller(initiator);
        Controller peer = session.controller(owner);
        Route route =
                Route.between(
                        session.fabric().machine(), controller.device().bdf(), peer.device().bdf());
        Optional<ControllerMemoryBuffer> memory = peer.cmb();
        int[] namespaces = controller.activeNamespaces();
        if (memory.isEmpty() || namespaces.length == 0) {
            String why = memory.isEmpty() ? owner + " has no CMB" : initiator + " has no namespace";
            return List.of(
                    notProbed(initiator, owner, true, route, why),
                    notProbed(initiator, owner, false, route, why));
        }
        if (!memory.get().isEnabled()) {
            memory.get().enable(session.fabric().dma());
        }
        Namespace namespace = controller.namespace(namespaces[0]);
        namespace.checkUsable();
        Probe probe = new Probe(session, namespace, memory.get());
        return probe.measure(initiator, owner, route);
    }

    private List<Result> measure(String initiator, String owner, Route route) {
        long length = Math.max(PAGE_BYTES, blockBytes);
        try (DmaBuffer host = session.fabric().dma().allocate(length);
                PeerBuffer slot = memory.allocate(length, PAGE_BYTES)) {
            namespace.read(host, 0, 0, 1);
            long[] block = words(host);
            Result write = watched(initiator, owner, true, route, () -> peerWrite(slot, block));
            boolean compares = namespace.controller().identity().oncs().compare();
            Result read =
                    compares
                            ? watched(initiator, owner, false, route, () -> peerRead(slot, block))
                            : notProbed(
                                    initiator,
                                    owner,
                                    false,
                                    route,
                                    initiator + " has no Compare command");
            return List.of(write, read);
        }
    }

    private long[] words(DmaBuffer host) {
        long[] block = new long[(int) (blockBytes / 8)];
        for (int i = 0; i < block.length; i++) {
            block[i] = host.segment().get(WORD, 8L * i);
        }
        return block;
    }

    /** Returns what went wrong; empty if nothing did. */
    private String peerWrite(PeerBuffer slot, long[] block) {
        for (int i = 0; i < block.length; i++) {
            slot.store64(8L * i, ~block[i]);
        }
        slot.load64(blockBytes - 8); // planting is posted too: the last word drains the others
        namespace.read(slot, 0, 0, 1);
        int[] wrong = {0};
        session.fabric()
                .clock()
                .await(
                        () -> {
                            wrong[0] = differing(slot, block);
                            return wrong[0] == 0;
                        },
                        ARRIVAL_NANOS);
        return wrong[0] == 0
                ? ""
                : "the Read ended with success, and %d of %d words did not arrive"
                        .formatted(wrong[0], block.length);
    }

    private static int differing(PeerBuffer slot, long[] block) {
        int count = 0;
        for (int i = 0; i < block.length; i++) {
            count += slot.load64(8L * i) == block[i] ? 0 : 1;
        }
        return count;
    }

    private String peerRead(PeerBuffer slot, long[] block) {
        for (int i = 0; i < block.length; i++) {
            slot.store64(8L * i, block[i]);
        }
        if (differing(slot, block) != 0) {
            return "its memory does not keep what the processor stores";
        }
        if (!comparesEqual(slot)) {
            return "a Compare of equal data ended in Compare Failure";
        }
        slot.store64(0, block[0] ^ 1);
        slot.load64(0);
        return comparesEqual(slot)
                ? "a Compare of different data ended with success: it did not read the peer"
                : "";
    }

    private boolean comparesEqual(PeerBuffer slot) {
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

    private interface Measurement {
        String run();
    }

    private Result watched(
            String initiator, String owner, boolean write, Route route, Measurement measurement) {
        List<PciFunction> before = onTheWay(route);
        String wrong;
        try {
            wrong = measurement.run();
        } catch (NvmeStatusException e) {
            wrong = String.valueOf(e.getMessage());
        }
        List<PciFunction> after = onTheWay(route);
        List<String> errors = new ArrayList<>();
        for (int i = 0; i < Math.min(before.size(), after.size()); i++) {
            if (errors(before.get(i).details()) != errors(after.get(i).details())) {
                errors.add(after.get(i).bdf().toString());
            }
        }
        boolean works = wrong.isEmpty();
        boolean knows =
                switch (route.verdict(write)) {
                    case OWN, DIRECT, ROOT_TRUSTED, REFUSED -> true;
                    case ROOT_UNTRUSTED, REDIRECTED -> false;
                };
        return new Result(
                initiator,
                owner,
                write ? "write" : "read",
                works ? "works" : "failed",
                route.verdict(write).words(),
                !knows || works == route.verdict(write).allowed(),
                works ? "%d bytes checked".formatted(blockBytes) : wrong,
                errors);
    }

    private List<PciFunction> onTheWay(Route route) {
        Machine machine = session.fabric().machine();
        List<PciFunction> way = new ArrayList<>();
        machine.function(route.initiator()).ifPresent(way::add);
        route.bridges().forEach(b -> machine.function(b.bdf()).ifPresent(way::add));
        machine.function(route.owner()).ifPresent(way::add);
        return way;
    }

    private static long errors(PciDetails details) {
        return 31L * (31L * details.uncorrectable() + details.correctable()) + details.errorTotal();
    }

    private static Result notProbed(
            String initiator, String owner, boolean write, Route route, String why) {
        return new Result(
                initiator,
                owner,
                write ? "write" : "read",
                "not-probed",
                route.verdict(write).words(),
                true,
                why,
                List.of());
    }
}
