package dev.peerlane.p2p;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.block.PortLimits;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses which memory carries a copy. Plans are ranked: every leg's verdict allows it; no peer
 * read through a root complex; fewest crossings of a root complex; then the target's CMB, the
 * source's, a third party's. Host memory is the last, and never a silent one.
 */
public final class Planner {
    private final CopyRequest request;
    private final Machine machine;
    private final List<String> reasons = new ArrayList<>();

    private Planner(CopyRequest request, Machine machine) {
        this.request = request;
        this.machine = machine;
    }

    /**
     * Plans a copy.
     *
     * @param request what to copy
     * @param machine a snapshot taken after the devices were opened
     * @throws PeerlaneException if the request is wrong, or no plan does what its options ask for
     */
    public static CopyPlan plan(CopyRequest request, Machine machine) {
        RequestCheck.check(request);
        return new Planner(request, machine).plan();
    }

    /** A buffer with the ways into and out of it, and its fence. */
    private record Option(
            BufferKind kind,
            BufferCandidate candidate,
            Route in,
            Route out,
            FenceChoice fence,
            String refusal) {
        boolean usable() {
            return refusal.isEmpty();
        }

        boolean readsThroughRoot() {
            return out.crossesRoot();
        }

        int crossings() {
            return (in.crossesRoot() ? 1 : 0) + (out.crossesRoot() ? 1 : 0);
        }
    }

    private CopyPlan plan() {
        BufferChoice choice = request.options().buffer();
        if (choice.kind() == BufferKind.HOST) {
            reasons.add("host: asked for");
            return hostPlan(List.of());
        }
        List<Option> options = new ArrayList<>();
        for (BufferCandidate candidate : request.candidates()) {
            options.add(option(candidate));
        }
        options.sort(
                Comparator.comparing(Option::usable, Comparator.reverseOrder())
                        .thenComparing(this::makeshift)
                        .thenComparing(Option::readsThroughRoot)
                        .thenComparing(Option::crossings)
                        .thenComparing(Option::kind));
        for (Option option : options) {
            String said = option.usable() ? option.in().reason() : option.refusal();
            reasons.add(option.kind().label() + " " + option.candidate().locator() + ": " + said);
        }
        reasons.addAll(request.absences());
        List<Option> wanted = options.stream().filter(o -> matches(choice, o)).toList();
        for (Option option : wanted) {
            if (option.usable()) {
                return peerPlan(option);
            }
        }
        if (choice.kind() != null) {
            throw unavailable(choice, wanted);
        }
        String why = reasons.isEmpty() ? "no device here has a CMB" : String.join("; ", reasons);
        return hostPlan(List.of("The data goes through host memory, not peer to peer: " + why));
    }

    private static boolean matches(BufferChoice choice, Option option) {
        if (choice.locator() != null) {
            return option.candidate().locator().equals(choice.locator());
        }
        return choice.kind() == null || option.kind() == choice.kind();
    }

    private Option option(BufferCandidate candidate) {
        BufferKind kind = BufferKind.THIRD_PARTY_CMB;
        if (candidate.owner().equals(request.target().bdf())) {
            kind = BufferKind.TARGET_CMB;
        } else if (candidate.owner().equals(request.source().bdf())) {
            kind = BufferKind.SOURCE_CMB;
        }
        Route in = Route.between(machine, request.source().bdf(), candidate.owner());
        Route out = Route.between(machine, request.target().bdf(), candidate.owner());
        FenceChoice fence = fence(kind, candidate.memory(), in);
        return new Option(kind, candidate, in, out, fence, refusal(candidate, in, out, fence));
    }

    private String refusal(BufferCandidate candidate, Route in, Route out, FenceChoice fence) {
        PeerMemory memory = candidate.memory();
        boolean ownsRead = candidate.owner().equals(request.source().bdf());
        boolean ownsWrite = candidate.owner().equals(request.target().bdf());
        if (ownsWrite && !memory.ownerMayWrite()) {
            return "its CMB may not hold the data of its own Writes (CMBSZ.WDS = 0)";
        }
        if (ownsRead && !memory.ownerMayRead()) {
            return "its CMB may not hold the data of its own Reads (CMBSZ.RDS = 0)";
        }
        if (!in.peerWrites().allowed()) {
            return routeRefusal("writes of the source into it", in.peerWrites(), in);
        }
        if (!out.peerReads().allowed()) {
            return routeRefusal("reads of the target from it", out.peerReads(), out);
        }
        if (fence != FenceChoice.NONE && relaxed(request.source())) {
            return "Relaxed Ordering is on at " + request.source().bdf() + ", so no fence is sound";
        }
        if (fence != FenceChoice.NONE && in.splitsWrites()) {
            return "writes of the source into it take several ways, so no fence is sound";
        }
        if (fence == FenceChoice.READBACK && in.peerWrites() != Verdict.DIRECT) {
            return "--fence readback needs a direct way across a switch, but the writes go "
                    + in.peerWrites().words();
        }
        if (fence == FenceChoice.READBACK && memory.loadsOvertakeWrites()) {
            return "--fence readback proves nothing: loads overtake buffered writes (CMBEBS.CMBRBB)";
        }
        boolean sentinels = fence == FenceChoice.SENTINEL;
        if (geometry(memory.largestFreeBytes(), sentinels) == null) {
            return "%d bytes are free, %d are needed"
                    .formatted(
                            memory.largestFreeBytes(),
                            Geometry.minimumBytes(unitBytes(request), sentinels));
        }
        return "";
    }

    /** Whether the source writes to a peer's memory: not if it is its own, nor the host's. */
    private boolean crossesToPeer(BufferKind kind) {
        boolean oneDevice = request.source().bdf().equals(request.target().bdf());
        return switch (kind) {
            case HOST, SOURCE_CMB -> false;
            case TARGET_CMB -> !oneDevice;
            case THIRD_PARTY_CMB -> true;
        };
    }

    /**
     * None where the source writes its own memory; else the user's choice, or the sentinel. Memory
     * with no room for a sentinel is read back where the way is direct: unless its owner says that
     * loads overtake buffered writes, see CMBEBS (NVMe Base 2.0, 3.1.3.18).
     */
    private FenceChoice fence(BufferKind kind, PeerMemory memory, Route in) {
        FenceChoice choice = request.options().fence();
        if (!crossesToPeer(kind)) {
            return FenceChoice.NONE;
        }
        if (choice != FenceChoice.AUTO) {
            return choice;
        }
        boolean readsBack =
                geometry(memory.largestFreeBytes(), true) == null
                        && geometry(memory.largestFreeBytes(), false) != null
                        && in.peerWrites() == Verdict.DIRECT
                        && !memory.loadsOvertakeWrites();
        return readsBack ? FenceChoice.READBACK : FenceChoice.SENTINEL;
    }

    /** Whether it is read back for want of room, and so comes after what has a better fence. */
    private boolean makeshift(Option option) {
        return request.options().fence() == FenceChoice.AUTO
                && option.fence() == FenceChoice.READBACK;
    }

    /** Why it is this fence. */
    private String fenceReason(Option option) {
        String why = "asked for";
        if (!crossesToPeer(option.kind())) {
            why = "the source writes its own memory";
        } else if (makeshift(option)) {
            why = "no room for a sentinel, a direct way, CMBEBS does not say that loads overtake";
        } else if (request.options().fence() == FenceChoice.AUTO) {
            why = "another device's memory, writes on one way";
        }
        return "fence " + option.fence().label() + ": " + why;
    }

    /** What the user must know of the fence. */
    private List<String> fenceNotes(BufferKind kind, FenceChoice fence) {
        FenceChoice choice = request.options().fence();
        boolean needed = crossesToPeer(kind);
        if (choice == FenceChoice.NONE && needed) {
            return List.of(
                    "There is no fence, as asked for: a completion that overtakes its data means old"
                            + " bytes in the copy");
        }
        if (fence == FenceChoice.READBACK) {
            return List.of(
                    "Reading back is a fence only if the CMB's owner sees what it still buffers, which"
                            + " no register promises");
        }
        if (choice != FenceChoice.AUTO && choice != FenceChoice.NONE && !needed) {
            return List.of(
                    "--fence %s is not used: no data goes to another device's memory"
                            .formatted(choice.label()));
        }
        return List.of();
    }

    private static String routeRefusal(String what, Verdict verdict, Route route) {
        return what + ": " + verdict.words() + " (" + route.reason() + ")";
    }

    private boolean relaxed(Endpoint initiator) {
        return machine.function(initiator.bdf()).map(f -> f.relaxedOrdering()).orElse(true);
    }

    private PeerlaneException unavailable(BufferChoice choice, List<Option> wanted) {
        String label = choice.label();
        if (wanted.isEmpty()) {
            String why =
                    request.absences().isEmpty()
                            ? "no such device has a CMB"
                            : String.join("; ", request.absences());
            return PeerlaneException.machine(
                    "no-cmb",
                    "there is no CMB for --buffer " + label + ": " + why,
                    "Choose another buffer; --buffer host copies through host memory");
        }
        Option first = wanted.getFirst();
        String message =
                "--buffer %s cannot be used, the CMB of %s: %s"
                        .formatted(label, first.candidate().locator(), first.refusal());
        boolean route = !first.in().peerWrites().allowed() || !first.out().peerReads().allowed();
        if (route) {
            return PeerlaneException.refused(
                    "no-permitted-route",
                    message,
                    "Put the devices behind one switch, or choose another buffer");
        }
        return PeerlaneException.machine(
                "cmb-unfit",
                message,
                "Choose another buffer; --buffer auto takes the best that works");
    }

    private CopyPlan peerPlan(Option option) {
        Endpoint source = request.source();
        Endpoint target = request.target();
        String owner = option.candidate().locator();
        List<Leg> legs =
                List.of(
                        Leg.of(source.locator(), owner, true, option.in()),
                        Leg.of(target.locator(), owner, false, option.out()));
        VerifyChoice verify = verify(option.candidate());
        reasons.add(fenceReason(option));
        List<String> announcements = new ArrayList<>(fenceNotes(option.kind(), option.fence()));
        announcements.addAll(verify.announcements());
        return new CopyPlan(
                request,
                option.kind(),
                option.candidate(),
                legs,
                option.fence().label(),
                verify.method(),
                verify.buffer(),
                reasons,
                announcements);
    }

    private CopyPlan hostPlan(List<String> announcements) {
        if (geometry(Long.MAX_VALUE / 4, false) == null) {
            throw RequestCheck.unfitBlocks(request);
        }
        List<String> all = new ArrayList<>(announcements);
        all.addAll(fenceNotes(BufferKind.HOST, FenceChoice.NONE));
        VerifyChoice verify = verify(null);
        all.addAll(verify.announcements());
        return new CopyPlan(
                request,
                BufferKind.HOST,
                null,
                List.of(
                        Leg.host(request.source().locator(), true),
                        Leg.host(request.target().locator(), false)),
                "none",
                verify.method(),
                verify.buffer(),
                reasons,
                all);
    }

    private record VerifyChoice(
            VerifyMethod method, @Nullable BufferCandidate buffer, List<String> announcements) {}

    private VerifyChoice verify(@Nullable BufferCandidate used) {
        VerifyMode mode = request.options().verify();
        if (mode == VerifyMode.NONE) {
            return new VerifyChoice(VerifyMethod.NONE, null, List.of());
        }
        if (mode == VerifyMode.HOST || (mode == VerifyMode.AUTO && used == null)) {
            return new VerifyChoice(VerifyMethod.HOST, null, List.of());
        }
        List<String> against = new ArrayList<>();
        List<BufferCandidate> inOrder = new ArrayList<>();
        if (used != null) {
            inOrder.add(used);
        }
        request.candidates().stream().filter(c -> !inOrder.contains(c)).forEach(inOrder::add);
        for (BufferCandidate candidate : inOrder) {
            VerifyMethod method = ownerCompare(candidate, against);
            if (method != null) {
                return new VerifyChoice(method, candidate, List.of());
            }
        }
        for (BufferCandidate candidate : inOrder) {
            if (controlled(candidate, against)) {
                return new VerifyChoice(VerifyMethod.CONTROLLED_COMPARE, candidate, List.of());
            }
        }
        String why = against.isEmpty() ? "there is no CMB for it" : String.join("; ", against);
        if (mode == VerifyMode.PEER) {
            throw PeerlaneException.machine(
                    "no-peer-verify",
                    "the copy can't be verified without host memory: " + why,
                    "Use --verify host, which reads both sides into host memory");
        }
        String said = "The verification goes through host memory: " + why;
        return new VerifyChoice(VerifyMethod.HOST, null, List.of(said));
    }

    /** The owner of the CMB Compares, the other side Reads: peer writes are all that is trusted. */
    private @Nullable VerifyMethod ownerCompare(BufferCandidate candidate, List<String> against) {
        boolean atTarget = candidate.owner().equals(request.target().bdf());
        boolean atSource = candidate.owner().equals(request.source().bdf());
        if (!atTarget && !atSource) {
            return null;
        }
        Endpoint owner = atTarget ? request.target() : request.source();
        Endpoint reader = atTarget ? request.source() : request.target();
        Route in = Route.between(machine, reader.bdf(), candidate.owner());
        String why = "";
        if (!owner.port().limits().canCompare()) {
            why = owner.locator() + " has no Compare command";
        } else if (!candidate.memory().ownerMayWrite()) {
            why = owner.locator() + " may not Compare from its CMB (CMBSZ.WDS = 0)";
        } else if (!in.peerWrites().allowed()) {
            why = routeRefusal(reader.locator() + " into it", in.peerWrites(), in);
        } else if (reader.bdf().equals(owner.bdf()) && !candidate.memory().ownerMayRead()) {
            why = owner.locator() + " may not Read into its CMB (CMBSZ.RDS = 0)";
        } else if (relaxed(reader)) {
            why = "Relaxed Ordering is on at " + reader.bdf();
        } else if (in.splitsWrites()) {
            why = "writes of " + reader.locator() + " into it take several ways";
        } else if (geometry(candidate.memory().largestFreeBytes(), true) == null) {
            why = "the CMB of " + owner.locator() + " is too small";
        }
        if (!why.isEmpty()) {
            against.add(why);
            return null;
        }
        return atTarget ? VerifyMethod.TARGET_COMPARE : VerifyMethod.SOURCE_COMPARE;
    }

    private boolean controlled(BufferCandidate candidate, List<String> against) {
        if (candidate.owner().equals(request.target().bdf())
                || candidate.owner().equals(request.source().bdf())) {
            return false;
        }
        Route in = Route.between(machine, request.source().bdf(), candidate.owner());
        Route out = Route.between(machine, request.target().bdf(), candidate.owner());
        String why = "";
        if (!request.target().port().limits().canCompare()) {
            why = request.target().locator() + " has no Compare command";
        } else if (!in.peerWrites().allowed() || !out.peerReads().allowed()) {
            why = "no permitted route to the CMB of " + candidate.locator();
        } else if (relaxed(request.source())) {
            why = "Relaxed Ordering is on at " + request.source().bdf();
        } else if (in.splitsWrites()) {
            why = "writes of the source take several ways to the CMB of " + candidate.locator();
        } else if (geometry(candidate.memory().largestFreeBytes(), true) == null) {
            why = "the CMB of " + candidate.locator() + " is too small";
        }
        if (!why.isEmpty()) {
            against.add(why);
        }
        return why.isEmpty();
    }

    private @Nullable Geometry geometry(long freeBytes, boolean fenced) {
        return geometry(request, freeBytes, fenced);
    }

    /** Cuts memory for a request; null if it is too small. */
    static @Nullable Geometry geometry(CopyRequest request, long freeBytes, boolean fenced) {
        PortLimits one = request.source().port().limits();
        PortLimits other = request.target().port().limits();
        Geometry geometry =
                Geometry.fit(
                        freeBytes,
                        unitBytes(request),
                        Math.min(one.maxTransferBytes(), other.maxTransferBytes()),
                        fenced,
                        request.options().chunkBytes(),
                        request.options().slots());
        return geometry == null ? null : geometry.forBytes(request.bytes());
    }

    /** Returns the larger block size: both are powers of two, so it is a multiple of the other. */
    static int unitBytes(CopyRequest request) {
        return Math.max(
                request.source().port().limits().blockBytes(),
                request.target().port().limits().blockBytes());
    }
}
