package dev.peerlane.pci;

import dev.peerlane.pci.sysfs.SysfsTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The route from a DMA initiator to a peer's memory, with a verdict for each direction.
 *
 * <p>The rule is Linux's rule for peer-to-peer DMA ({@code calc_map_type_and_dist} in {@code
 * drivers/pci/p2pdma.c}). Walk up from both ends to the common bridge. If nothing from the ends up
 * to and including that bridge redirects, traffic goes straight across the switch. Otherwise, or
 * without a common bridge, it goes through the root complex, and what is known of the root complex
 * decides. Beyond Linux's rule, traffic that a port is known to block is refused: by egress
 * control, by translation blocking, or for lack of upstream forwarding.
 *
 * @param initiator the function that reads or writes
 * @param owner the function that owns the memory
 * @param peerWrites the verdict on the initiator's writes
 * @param peerReads the verdict on the initiator's reads
 * @param bridges the bridges on the route, from initiator to owner
 * @param crossesRoot whether the route goes through the root complex
 * @param redirecting the functions, up to the common bridge, that redirect by ACS; empty without a
 *     common bridge
 * @param narrowest the function on the route whose link has the least bandwidth, or null if none is
 *     known
 * @param writesStop what is known to block the initiator's writes, or null
 * @param readsStop what is known to block the initiator's reads or their completions, or null
 * @param splitsWrites whether successive writes are known to take several paths, and so to arrive
 *     in any order
 * @param reason the reason for the verdicts, as text for a person
 */
public record Route(
        Bdf initiator,
        Bdf owner,
        Verdict peerWrites,
        Verdict peerReads,
        List<PciFunction> bridges,
        boolean crossesRoot,
        List<PciFunction> redirecting,
        @Nullable PciFunction narrowest,
        @Nullable Stop writesStop,
        @Nullable Stop readsStop,
        boolean splitsWrites,
        String reason) {

    /**
     * A port that blocks packets by one bit of its ACS Control register.
     *
     * @param port the port
     * @param bit the bit; if it changes, the packets pass
     * @param why the reason, as text for a person
     */
    public record Stop(PciFunction port, int bit, String why) {}

    /** Copies the lists. */
    public Route {
        bridges = List.copyOf(bridges);
        redirecting = List.copyOf(redirecting);
    }

    /** Returns the number of bridges on the route. */
    public int hops() {
        return bridges.size();
    }

    /** Returns both ends and the bridges between them. Empty if the traffic crosses no bus. */
    public List<PciFunction> functions(Machine machine) {
        List<PciFunction> all = new ArrayList<>();
        if (!initiator.equals(owner)) {
            machine.function(initiator).ifPresent(all::add);
            all.addAll(bridges);
            machine.function(owner).ifPresent(all::add);
        }
        return all;
    }

    /** Returns the bandwidth of the narrowest link in bytes per second; 0 if none is known. */
    public long bytesPerSecond() {
        Link link = narrowest == null ? null : narrowest.link();
        return link == null ? 0 : link.bytesPerSecond();
    }

    /** Returns the verdict on one direction. */
    public Verdict verdict(Direction direction) {
        return direction == Direction.WRITE ? peerWrites : peerReads;
    }

    /** Returns what is known to block one direction, or null. */
    public @Nullable Stop stop(Direction direction) {
        return direction == Direction.WRITE ? writesStop : readsStop;
    }

    /** Returns whether a port is known to block one direction. {@link #reason} then says so. */
    public boolean stops(Direction direction) {
        return stop(direction) != null;
    }

    /**
     * Returns whether Linux's own peer-to-peer DMA would use this route. Linux gives one answer for
     * both directions.
     */
    public boolean kernelAllows() {
        return peerWrites.allowed() && peerReads.allowed();
    }

    /**
     * Computes the route between two functions and its verdicts.
     *
     * @param machine the snapshot
     * @param initiator the function that reads or writes
     * @param owner the function that owns the memory
     */
    public static Route between(Machine machine, Bdf initiator, Bdf owner) {
        if (initiator.equals(owner)) {
            String reason = "the device uses its own memory";
            return new Route(
                    initiator,
                    owner,
                    Verdict.OWN,
                    Verdict.OWN,
                    List.of(),
                    false,
                    List.of(),
                    null,
                    null,
                    null,
                    false,
                    reason);
        }
        Optional<PciFunction> from = machine.function(initiator);
        Optional<PciFunction> to = machine.function(owner);
        if (from.isEmpty() || to.isEmpty()) {
            Bdf missing = from.isEmpty() ? initiator : owner;
            String reason = missing + " is not in the snapshot of the PCI tree";
            return new Route(
                    initiator,
                    owner,
                    Verdict.REFUSED,
                    Verdict.REFUSED,
                    List.of(),
                    true,
                    List.of(),
                    null,
                    null,
                    null,
                    false,
                    reason);
        }
        return new Walk(machine, from.get(), to.get()).judge();
    }

    /** The paths from both ends up to the common bridge. */
    private static final class Walk {
        private final Machine machine;
        private final PciFunction from;
        private final PciFunction to;
        private final List<PciFunction> up;
        private final List<PciFunction> down;
        private final @Nullable PciFunction common;

        Walk(Machine machine, PciFunction from, PciFunction to) {
            this.machine = machine;
            this.from = from;
            this.to = to;
            up = machine.bridgesAbove(from.bdf());
            down = machine.bridgesAbove(to.bdf());
            common = up.stream().filter(f -> place(down, f) >= 0).findFirst().orElse(null);
        }

        Route judge() {
            List<PciFunction> below = new ArrayList<>();
            below.add(from);
            below.addAll(until(up));
            below.addAll(until(down).reversed());
            below.add(to);
            PciFunction top = common;
            // The two ends count too, because the functions of a device may have ACS of their own.
            // The common bridge counts as well: a root port above two functions sends their packets
            // up.
            List<PciFunction> redirecting =
                    Stream.concat(below.stream(), Stream.ofNullable(top))
                            .filter(b -> b.acs() != null && b.acs().redirects())
                            .toList();
            if (top != null && redirecting.isEmpty()) {
                List<PciFunction> way = new ArrayList<>(until(up));
                way.add(top);
                way.addAll(until(down).reversed());
                String reason = "both are below " + top.bdf() + " and no bridge redirects";
                return route(Verdict.DIRECT, Verdict.DIRECT, way, List.of(), below, reason);
            }
            List<PciFunction> way = new ArrayList<>(up);
            way.addAll(down.reversed());
            List<PciFunction> linked = new ArrayList<>(way);
            linked.add(from);
            linked.add(to);
            RootComplex root = machine.rootComplexBetween(from.bdf(), to.bdf());
            boolean redirected = top != null;
            // prefer one that is known to redirect over one that can't be read
            PciFunction first =
                    redirecting.stream()
                            .filter(b -> b.acs() != null && b.acs().known())
                            .findFirst()
                            .orElse(redirected ? redirecting.getFirst() : null);
            boolean unread = first != null && first.acs() != null && !first.acs().known();
            String why =
                    redirected && first != null
                            ? redirection(first)
                            : "they share no bridge, so traffic goes through the root complex: ";
            return route(
                    throughRoot(root.peerWrites(), redirected, unread),
                    throughRoot(root.peerReads(), redirected, unread),
                    way,
                    redirected ? redirecting : List.of(),
                    linked,
                    why + root.source());
        }

        /**
         * Returns what is known to block the initiator's requests, or null. At the common bridge,
         * the port on the initiator's side decides (table 6-10). Every port on the way up checks
         * the address type first (6.12.1.1).
         */
        private @Nullable Stop requestStop() {
            PciFunction ingress = portBelow(up, from);
            PciFunction egress = portBelow(down, to);
            Acs acs = parting(ingress);
            boolean named = acs.egressControl() && acs.controlsEgress(egress.details().port());
            boolean redirected = acs.requestRedirect() && (named || !acs.egressControl());
            if (Boolean.TRUE.equals(from.details().ats())) {
                for (PciFunction f : redirected || common == null ? up : until(up)) {
                    if (f.acs() != null && f.acs().known() && f.acs().translationBlocking()) {
                        return new Stop(
                                f,
                                Acs.TRANSLATION_BLOCKING,
                                "ACS on %s blocks translated requests (TB), and %s sends them (ATS)"
                                        .formatted(f.bdf(), from.bdf()));
                    }
                }
            }
            if (named && !redirected) {
                return new Stop(
                        ingress,
                        Acs.EGRESS_CONTROL,
                        "ACS on %s stops requests for %s (EC)"
                                .formatted(ingress.bdf(), egress.bdf()));
            }
            return redirected ? forwardingStop() : null;
        }

        /**
         * Returns what is known to block the completions of reads: redirected completions that are
         * not forwarded further up.
         */
        private @Nullable Stop answerStop() {
            return parting(portBelow(down, to)).completionRedirect() ? forwardingStop() : null;
        }

        /**
         * Returns the ACS of the port below the common bridge; all bits off if there is no such
         * port or no ACS.
         */
        private Acs parting(PciFunction port) {
            Acs acs = port.acs();
            return common == null || acs == null || !acs.known() ? new Acs(0) : acs;
        }

        /** Returns the function directly below the common bridge. */
        private PciFunction portBelow(List<PciFunction> path, PciFunction end) {
            List<PciFunction> below = until(path);
            return below.isEmpty() ? end : below.getLast();
        }

        /**
         * Returns a switch port that lacks upstream forwarding, which it needs to forward packets
         * for its own side.
         */
        private @Nullable Stop forwardingStop() {
            PciFunction top = common;
            for (PciFunction f : up.subList(place(up, top) + 1, up.size())) {
                boolean port = f.kind() == PciFunction.Kind.SWITCH_DOWNSTREAM;
                if (port && (f.acs() == null || !f.acs().upstreamForwarding())) {
                    return new Stop(
                            f,
                            Acs.UPSTREAM_FORWARDING,
                            "ACS redirects it below %s, which does not send it on (no UF)"
                                    .formatted(f.bdf()));
                }
            }
            return null;
        }

        private Route route(
                Verdict writes,
                Verdict reads,
                List<PciFunction> way,
                List<PciFunction> redirecting,
                List<PciFunction> linked,
                String reason) {
            Stop request = requestStop();
            Stop stop = request == null ? answerStop() : request;
            boolean split = machine.splitsWrites(from.bdf(), to.bdf());
            return new Route(
                    from.bdf(),
                    to.bdf(),
                    request == null ? writes : Verdict.REFUSED,
                    stop == null ? reads : Verdict.REFUSED,
                    way,
                    writes != Verdict.DIRECT,
                    redirecting,
                    narrowest(linked),
                    request,
                    stop,
                    split,
                    (stop == null ? reason : stop.why())
                            + (split ? "; its writes take several paths" : ""));
        }

        private List<PciFunction> until(List<PciFunction> path) {
            return path.subList(0, common == null ? path.size() : place(path, common));
        }

        /** Returns the index of a function on a path, or -1. Compares addresses only. */
        private static int place(List<PciFunction> path, @Nullable PciFunction function) {
            for (int i = 0; function != null && i < path.size(); i++) {
                if (path.get(i).bdf().equals(function.bdf())) {
                    return i;
                }
            }
            return -1;
        }
    }

    private static @Nullable PciFunction narrowest(List<PciFunction> functions) {
        PciFunction least = null;
        long bytes = Long.MAX_VALUE;
        for (PciFunction f : functions) {
            Link link = f.link();
            if (link != null && link.isUp() && link.bytesPerSecond() < bytes) {
                least = f;
                bytes = link.bytesPerSecond();
            }
        }
        return least;
    }

    private static String redirection(PciFunction bridge) {
        String acs = "ACS on " + bridge.bdf();
        if (bridge.acs() == null || bridge.acs().known()) {
            return acs + " redirects it to the root complex: ";
        }
        String asleep = bridge.details().asleep();
        if (asleep != null) {
            return acs + " was not read (it is %s), so it may redirect: ".formatted(asleep);
        }
        return bridge.details().configBytes() <= SysfsTree.PUBLIC_BYTES
                ? acs + " can't be read (only root may), so it may redirect: "
                : acs + " can't be read (the kernel shows 256 bytes), so it may redirect: ";
    }

    /**
     * Returns the verdict on traffic that may go through the root complex.
     *
     * @param unread whether it is unknown if the traffic goes there or straight across
     */
    private static Verdict throughRoot(
            RootComplex.Trust trust, boolean redirected, boolean unread) {
        return switch (trust) {
            // a register that can't be read could block traffic as well as redirect it
            case TRUSTED -> unread ? Verdict.UNKNOWN : Verdict.ROOT_TRUSTED;
            case UNKNOWN ->
                    unread
                            ? Verdict.UNKNOWN
                            : redirected ? Verdict.REDIRECTED : Verdict.ROOT_UNTRUSTED;
            case REFUSED -> unread ? Verdict.UNKNOWN : Verdict.REFUSED;
        };
    }
}
