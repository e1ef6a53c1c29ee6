package dev.peerlane.copy.planning;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Leg;
import dev.peerlane.copy.VerifyMethod;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Machine;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the memory that carries a copy, by {@link Fitness} and its order. Host memory comes last,
 * and its use is always announced.
 */
public final class Planner {
    private final CopyRequest request;
    private final Machine machine;
    private final Demand demand;
    private final List<String> reasons = new ArrayList<>();

    private Planner(CopyRequest request, Machine machine, Demand demand) {
        this.request = request;
        this.machine = machine;
        this.demand = demand;
    }

    /**
     * Plans a copy.
     *
     * @param request what to copy
     * @param machine a snapshot taken after the devices were opened
     * @throws PeerlaneException if the request is wrong, or no plan satisfies its options
     */
    public static CopyPlan plan(CopyRequest request, Machine machine) {
        Demand demand = Demand.of(request, machine);
        RequestCheck.check(request, demand);
        return new Planner(request, machine, demand).plan();
    }

    /** A candidate and the verdict on it. */
    private record Option(BufferCandidate candidate, Fitness fitness) {}

    private CopyPlan plan() {
        BufferChoice choice = request.options().buffer();
        if (choice.kind() == BufferKind.HOST) {
            reasons.add("host: requested");
            return hostPlan(List.of());
        }
        List<Option> options = new ArrayList<>();
        for (BufferCandidate candidate : request.candidates()) {
            Carrier memory = Carrier.of(candidate);
            options.add(new Option(candidate, Fitness.of(machine, demand, memory)));
        }
        options.sort(Comparator.comparing(Option::fitness, Fitness.BEST_FIRST));
        for (Option option : options) {
            Fitness f = option.fitness();
            String said = f.fits() ? f.in().reason() : f.against().getFirst().coded();
            reasons.add(f.kind().label() + " " + option.candidate().locator() + ": " + said);
        }
        reasons.addAll(request.absences());
        List<Option> wanted = options.stream().filter(o -> matches(choice, o)).toList();
        for (Option option : wanted) {
            if (option.fitness().fits()) {
                return peerPlan(option);
            }
        }
        if (choice.kind() != null) {
            throw unavailable(choice, wanted);
        }
        String why = reasons.isEmpty() ? "no device here has a CMB" : String.join("; ", reasons);
        return hostPlan(List.of("The data goes through host memory, not peer to peer: " + why));
    }

    /**
     * Returns whether the user's choice includes a memory. In a copy within one device, its CMB is
     * both the target's and the source's.
     */
    private boolean matches(BufferChoice choice, Option option) {
        BufferCandidate candidate = option.candidate();
        if (choice.locator() != null) {
            return candidate.locator().equals(choice.locator());
        }
        return choice.kind() == null
                || option.fitness().kind() == choice.kind()
                || (choice.kind() == BufferKind.SOURCE_CMB
                        && candidate.owner().equals(demand.source().bdf()));
    }

    /** Returns the reason for the choice of the fence. */
    private String fenceReason(Fitness fitness) {
        String why = "requested";
        if (!fitness.crossesToPeer()) {
            why = "the source writes its own memory";
        } else if (fitness.isMakeshift()) {
            why =
                    "no room for a sentinel; the route is direct, and CMBEBS declares no overtaking"
                            + " loads";
        } else if (demand.fence() == FenceChoice.AUTO) {
            why = "another device's memory, writes on one route";
        }
        return "fence " + fitness.fence().label() + ": " + why;
    }

    /** Returns what the user must know about the fence. */
    private List<String> fenceNotes(boolean needed, FenceChoice fence) {
        FenceChoice choice = demand.fence();
        if (choice == FenceChoice.NONE && needed) {
            return List.of(
                    "No fence is used, as requested: if a completion overtakes its data, the copy"
                            + " has old bytes");
        }
        if (fence == FenceChoice.READBACK) {
            return List.of(
                    "The readback fence is sound only if loads see what the CMB's owner still"
                            + " buffers, which no register promises");
        }
        if (choice != FenceChoice.AUTO && choice != FenceChoice.NONE && !needed) {
            return List.of(
                    "The fence %s is not used: no data goes to another device's memory"
                            .formatted(choice.label()));
        }
        return List.of();
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
                            "there is no CMB for the buffer '%s': %s".formatted(label, why),
                            "Choose another buffer; host memory is always there")
                    .with("buffer", label);
        }
        Option first = wanted.getFirst();
        Fitness.Reason reason = first.fitness().against().getFirst();
        String message =
                "the buffer '%s' cannot be used, the CMB of %s: %s"
                        .formatted(label, first.candidate().locator(), reason.coded());
        return new PeerlaneException(
                reason.unfit().category(),
                reason.unfit().isOfTheWay() ? "no-permitted-route" : "cmb-unfit",
                message,
                reason.unfit().remedy());
    }

    private CopyPlan peerPlan(Option option) {
        Fitness fitness = option.fitness();
        String owner = option.candidate().locator();
        List<Leg> legs =
                List.of(
                        Leg.of(demand.source().name(), owner, Direction.WRITE, fitness.in()),
                        Leg.of(demand.target().name(), owner, Direction.READ, fitness.out()));
        VerifyChoice verify = verify(option.candidate());
        reasons.add(fenceReason(fitness));
        List<String> announcements =
                new ArrayList<>(fenceNotes(fitness.crossesToPeer(), fitness.fence()));
        announcements.addAll(verify.announcements());
        return new CopyPlan(
                request,
                fitness.kind(),
                option.candidate(),
                legs,
                fitness.fence().label(),
                verify.method(),
                verify.buffer(),
                reasons,
                announcements);
    }

    private CopyPlan hostPlan(List<String> announcements) {
        List<String> all = new ArrayList<>(announcements);
        all.addAll(fenceNotes(false, FenceChoice.NONE));
        VerifyChoice verify = verify(null);
        all.addAll(verify.announcements());
        return new CopyPlan(
                request,
                BufferKind.HOST,
                null,
                List.of(
                        Leg.host(request.source().locator(), Direction.WRITE),
                        Leg.host(request.target().locator(), Direction.READ)),
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
        for (boolean byOwner : new boolean[] {true, false}) {
            for (BufferCandidate candidate : inOrder) {
                VerifyMethod method = method(candidate);
                boolean third = method == VerifyMethod.CONTROLLED_COMPARE;
                if (byOwner != third && checks(candidate, method, against)) {
                    return new VerifyChoice(method, candidate, List.of());
                }
            }
        }
        String why = against.isEmpty() ? "there is no CMB for it" : String.join("; ", against);
        if (mode == VerifyMode.PEER) {
            throw PeerlaneException.machine(
                    "no-peer-verify",
                    "the copy can't be verified without host memory: " + why,
                    "Verify in host memory, into which both sides are read");
        }
        String said = "The verification goes through host memory: " + why;
        return new VerifyChoice(VerifyMethod.HOST, null, List.of(said));
    }

    /**
     * Returns the method that uses a CMB: its owner Compares and the other side Reads. A third
     * party's CMB needs control Compares.
     */
    private VerifyMethod method(BufferCandidate candidate) {
        if (candidate.owner().equals(demand.target().bdf())) {
            return VerifyMethod.TARGET_COMPARE;
        }
        return candidate.owner().equals(demand.source().bdf())
                ? VerifyMethod.SOURCE_COMPARE
                : VerifyMethod.CONTROLLED_COMPARE;
    }

    /**
     * Returns whether a memory may carry the verification, which is a copy with Compare in place of
     * Write.
     */
    private boolean checks(BufferCandidate candidate, VerifyMethod method, List<String> against) {
        Demand check = method == VerifyMethod.SOURCE_COMPARE ? demand.reversed() : demand;
        if (!check.target().canCompare()) {
            against.add(check.target().name() + " has no Compare command");
            return false;
        }
        Fitness fitness = Fitness.ofCheck(machine, check, Carrier.of(candidate));
        if (!fitness.fits()) {
            against.add(
                    "the CMB of %s: %s"
                            .formatted(candidate.locator(), fitness.against().getFirst().coded()));
        }
        return fitness.fits();
    }

    /**
     * Checks that Reads of a device into the memory of another can be fenced.
     *
     * @throws PeerlaneException if the route is not permitted, or no fence is sound on it
     */
    public static void checkFence(Machine machine, Endpoint reader, BufferCandidate into) {
        Party source = Party.of(reader, machine);
        Bdf owner = into.owner();
        Party itself =
                new Party(into.locator(), owner, source.blockBytes(), 0, true, Boolean.FALSE);
        PeerMemory memory = into.memory();
        Carrier carrier =
                new Carrier(
                        into.locator(),
                        owner,
                        memory.sizeBytes(),
                        true,
                        true,
                        memory.loadsOvertakeWrites());
        Demand demand = new Demand(source, itself, FenceChoice.SENTINEL, 0, 0);
        for (Fitness.Reason reason : Fitness.ofCheck(machine, demand, carrier).against()) {
            throw new PeerlaneException(
                    reason.unfit().category(),
                    reason.unfit().code(),
                    "Reads of %s into the memory of %s can't be fenced: %s"
                            .formatted(reader.name(), into.locator(), reason.words()),
                    "Use memory of the reader itself, or host memory");
        }
    }
}
