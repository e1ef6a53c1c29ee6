package dev.peerlane.copy.planning;

import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The verdict on whether a memory may carry a copy, with the reasons against it. Plans, the doctor
 * and the topology all use this one rule. It works on values alone. What was not looked at is
 * reported as unknown, not guessed.
 *
 * @param memory the memory that was judged
 * @param kind the role of its owner in this copy
 * @param in the route into the memory, from the source
 * @param out the route out of the memory, to the target
 * @param fence the fence between Read and Write
 * @param isMakeshift whether that fence was chosen because no better one is possible
 * @param against the reasons against the memory, in the order of the checks; empty if it fits
 * @param unknown what would have to be known to be sure, one sentence each
 */
public record Fitness(
        Carrier memory,
        BufferKind kind,
        Route in,
        Route out,
        FenceChoice fence,
        boolean isMakeshift,
        List<Reason> against,
        List<String> unknown) {
    /**
     * The order in which a plan prefers memories: first those that fit, as far as is known, then
     * those that do not. Among these: no makeshift fence; no peer read through a root complex;
     * fewest crossings of a root complex; the target's memory, then the source's, then a third
     * party's; lowest address.
     */
    public static final Comparator<Fitness> BEST_FIRST =
            Comparator.comparing((Fitness f) -> !f.fits())
                    .thenComparing(f -> !f.unknown.isEmpty())
                    .thenComparing(Fitness::isMakeshift)
                    .thenComparing(f -> f.out.crossesRoot())
                    .thenComparing(Fitness::crossings)
                    .thenComparing(Fitness::kind)
                    .thenComparing(f -> f.memory.owner());

    /** The shortest possible block, and the longest that the driver accepts. */
    private static final int SHORTEST_BLOCK_BYTES = 512;

    private static final int LONGEST_BLOCK_BYTES = 64 << 10;

    /**
     * One reason against a memory.
     *
     * @param unfit the kind of reason
     * @param words the reason with names and numbers
     */
    public record Reason(Unfit unfit, String words) {
        /** Returns the words, followed by the code in parentheses. */
        public String coded() {
            return words + " [" + unfit.code() + "]";
        }
    }

    /** Copies the lists. */
    public Fitness {
        against = List.copyOf(against);
        unknown = List.copyOf(unknown);
    }

    /** Judges a memory for a copy. */
    public static Fitness of(Machine machine, Demand demand, Carrier memory) {
        if (demand.knowsBlocks()) {
            return judge(machine, demand, memory, false);
        }
        Fitness easy = judge(machine, demand.withBlocks(SHORTEST_BLOCK_BYTES), memory, false);
        Fitness hard = judge(machine, demand.withBlocks(LONGEST_BLOCK_BYTES), memory, false);
        if (!easy.fits() || memory.freeBytes() == Carrier.UNKNOWN || hard.fits()) {
            return easy.fits() && hard.fits() ? hard : easy;
        }
        List<String> unknown = new ArrayList<>(easy.unknown);
        unknown.add(
                "%d bytes are free, but the block length is unknown".formatted(memory.freeBytes()));
        return new Fitness(
                memory,
                easy.kind,
                easy.in,
                easy.out,
                easy.fence,
                easy.isMakeshift,
                easy.against,
                unknown);
    }

    /** Judges a memory for a verification, which always relies on sentinels. */
    static Fitness ofCheck(Machine machine, Demand demand, Carrier memory) {
        return judge(machine, demand, memory, true);
    }

    private static Fitness judge(
            Machine machine, Demand demand, Carrier memory, boolean sentinels) {
        BufferKind kind = BufferKind.THIRD_PARTY_CMB;
        if (memory.owner().equals(demand.target().bdf())) {
            kind = BufferKind.TARGET_CMB;
        } else if (memory.owner().equals(demand.source().bdf())) {
            kind = BufferKind.SOURCE_CMB;
        }
        Route in = Route.between(machine, demand.source().bdf(), memory.owner());
        Route out = Route.between(machine, demand.target().bdf(), memory.owner());
        FenceChoice fence = sentinels ? FenceChoice.SENTINEL : fence(demand, memory, in);
        boolean makeshift = fence == FenceChoice.READBACK && demand.fence() == FenceChoice.AUTO;
        Judge judge = new Judge(machine, demand, memory, in, out, fence);
        judge.run();
        return new Fitness(memory, kind, in, out, fence, makeshift, judge.against, judge.unknown);
    }

    /**
     * Returns the fence: none if the source writes its own memory, otherwise the user's choice, and
     * by default the sentinel. If the memory has no room for a sentinel and the route is direct,
     * reading back takes its place, unless the owner declares that loads overtake buffered writes
     * (CMBEBS; NVMe Base 2.0, 3.1.3.18).
     */
    private static FenceChoice fence(Demand demand, Carrier memory, Route in) {
        if (!crosses(in)) {
            return FenceChoice.NONE;
        }
        if (demand.fence() != FenceChoice.AUTO) {
            return demand.fence();
        }
        boolean readsBack =
                memory.freeBytes() > 0
                        && demand.geometry(memory.freeBytes(), true) == null
                        && demand.geometry(memory.freeBytes(), false) != null
                        && in.peerWrites() == Verdict.DIRECT
                        && !Boolean.TRUE.equals(memory.loadsOvertakeWrites());
        return readsBack ? FenceChoice.READBACK : FenceChoice.SENTINEL;
    }

    private static boolean crosses(Route in) {
        return !in.initiator().equals(in.owner());
    }

    /** Returns whether the source writes to another device's memory. */
    boolean crossesToPeer() {
        return crosses(in);
    }

    /** Returns whether nothing that is known speaks against this memory. */
    public boolean fits() {
        return against.isEmpty();
    }

    /** Returns whether a given reason speaks against this memory. */
    public boolean has(Unfit unfit) {
        return against.stream().anyMatch(r -> r.unfit() == unfit);
    }

    private int crossings() {
        return (in.crossesRoot() ? 1 : 0) + (out.crossesRoot() ? 1 : 0);
    }

    /** Collects the reasons against a memory, check by check. */
    private static final class Judge {
        private final Machine machine;
        private final Demand demand;
        private final Carrier memory;
        private final Route in;
        private final Route out;
        private final FenceChoice fence;
        private final List<Reason> against = new ArrayList<>();
        private final List<String> unknown = new ArrayList<>();

        Judge(
                Machine machine,
                Demand demand,
                Carrier memory,
                Route in,
                Route out,
                FenceChoice fence) {
            this.machine = machine;
            this.demand = demand;
            this.memory = memory;
            this.in = in;
            this.out = out;
            this.fence = fence;
        }

        private void no(Unfit unfit, String words) {
            against.add(new Reason(unfit, words));
        }

        void run() {
            if (memory.freeBytes() == 0) {
                no(Unfit.ABSENT, memory.name() + " has no CMB that is free");
            } else if (memory.freeBytes() == Carrier.UNKNOWN) {
                unknown.add("whether " + memory.name() + " has a CMB is unknown");
            } else {
                owner();
            }
            ways();
            if (fence != FenceChoice.NONE) {
                order();
            }
            if (!demand.blocksFit()) {
                no(Unfit.BLOCKS, demand.unfitBlocks());
            } else if (memory.freeBytes() > 0) {
                size();
            }
        }

        private void owner() {
            boolean ownsRead = memory.owner().equals(demand.source().bdf());
            boolean ownsWrite = memory.owner().equals(demand.target().bdf());
            if (ownsWrite && !memory.ownerMayWrite()) {
                no(Unfit.NO_WDS, "its CMB may not hold the data of its own Writes (CMBSZ.WDS = 0)");
            }
            if (ownsRead && !memory.ownerMayRead()) {
                no(Unfit.NO_RDS, "its CMB may not hold the data of its own Reads (CMBSZ.RDS = 0)");
            }
        }

        private void ways() {
            if (!in.peerWrites().allowed()) {
                way("writes of " + demand.source().name() + " into it", in.peerWrites(), in);
            }
            if (!out.peerReads().allowed()) {
                way("reads of " + demand.target().name() + " from it", out.peerReads(), out);
            }
            packetsStopped();
            for (Oversize oversize :
                    new Oversize[] {
                        Oversize.on(machine, in, Direction.WRITE),
                        Oversize.on(machine, out, Direction.READ)
                    }) {
                if (oversize != null) {
                    no(Unfit.PAYLOAD, oversize.words());
                }
            }
            for (Overlap overlap : Overlap.of(machine, memory.owner())) {
                no(Unfit.ADDRESSES, overlap.words());
            }
        }

        /**
         * Checks what is known to stop packets on the route. A function that could not be read
         * counts as unknown.
         */
        private void packetsStopped() {
            Map<Bdf, PciFunction> way = new LinkedHashMap<>();
            in.functions(machine).forEach(f -> way.putIfAbsent(f.bdf(), f));
            out.functions(machine).forEach(f -> way.putIfAbsent(f.bdf(), f));
            for (PciFunction f : way.values()) {
                if (f.details().isCut()) {
                    no(
                            Unfit.UNREAD,
                            "%d bytes of the configuration space of %s can be read, so whether"
                                            .formatted(f.details().configBytes(), f.bdf())
                                    + " it stops packets is unknown");
                } else if (f.details().asleep() != null) {
                    no(
                            Unfit.ASLEEP,
                            "%s is %s and was not read, so whether it stops packets is unknown"
                                    .formatted(f.bdf(), f.details().asleep()));
                }
                if (f.details().isContained()) {
                    no(Unfit.CONTAINED, f.bdf() + " holds its link down after an error (DPC)");
                }
            }
        }

        private void way(String what, Verdict verdict, Route route) {
            no(Unfit.ROUTE, what + ": " + verdict.words() + " (" + route.reason() + ")");
        }

        /** Checks what makes a fence unsound. */
        private void order() {
            Boolean relaxed = demand.source().relaxedOrdering();
            if (Boolean.TRUE.equals(relaxed)) {
                no(
                        Unfit.RELAXED_ORDERING,
                        "Relaxed Ordering is on at %s, so no fence is sound"
                                .formatted(demand.source().bdf()));
            }
            if (in.splitsWrites()) {
                no(
                        Unfit.SECOND_WAY,
                        "writes of %s into it take several routes, so no fence is sound"
                                .formatted(demand.source().name()));
            }
            if (fence != FenceChoice.READBACK) {
                return;
            }
            if (in.peerWrites() != Verdict.DIRECT) {
                no(
                        Unfit.READBACK,
                        "the readback fence needs a direct route across a switch, but the writes"
                                + " go "
                                + in.peerWrites().words());
            }
            if (Boolean.TRUE.equals(memory.loadsOvertakeWrites())) {
                no(
                        Unfit.READBACK,
                        "reading back proves nothing: loads overtake buffered writes"
                                + " (CMBEBS.CMBRBB)");
            } else if (memory.loadsOvertakeWrites() == null) {
                unknown.add("whether loads overtake writes there is unknown (CMBEBS.CMBRBB)");
            }
        }

        private void size() {
            boolean sentinels = fence == FenceChoice.SENTINEL;
            if (demand.geometry(memory.freeBytes(), sentinels) == null) {
                no(
                        Unfit.SMALL,
                        "%d bytes are free, %d are needed"
                                .formatted(memory.freeBytes(), demand.leastBytes(sentinels)));
            }
        }
    }
}
