package dev.peerlane.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The way from a DMA initiator to a peer's memory, and the verdict on it for each direction.
 *
 * <p>The rule is the one Linux uses for peer-to-peer DMA ({@code calc_map_type_and_dist} of its
 * {@code drivers/pci/p2pdma.c}): walk up from both ends to the common bridge; if nothing from the
 * ends up to that bridge, itself included, redirects, the traffic goes straight across the switch;
 * otherwise, or with no common bridge, it goes through the root complex, and what is known of that
 * decides.
 *
 * @param initiator the function that reads or writes
 * @param owner the function whose memory it is
 * @param peerWrites what becomes of the initiator's writes
 * @param peerReads what becomes of the initiator's reads
 * @param bridges the bridges on the way, from initiator to owner
 * @param crossesRoot whether it goes through the root complex
 * @param redirecting what redirects it by ACS, up to the common bridge; empty without one
 * @param narrowest the function on the way whose link carries the least, or null if none is known
 * @param reason why, for a person
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
        String reason) {

    /** Keeps its own copies of the lists. */
    public Route {
        bridges = List.copyOf(bridges);
        redirecting = List.copyOf(redirecting);
    }

    /** Returns how many bridges are on the way. */
    public int hops() {
        return bridges.size();
    }

    /** Returns the bandwidth of the narrowest link, in bytes a second; 0 if none is known. */
    public long bytesPerSecond() {
        Link link = narrowest == null ? null : narrowest.link();
        return link == null ? 0 : link.bytesPerSecond();
    }

    /** Returns the verdict on one direction. */
    public Verdict verdict(boolean write) {
        return write ? peerWrites : peerReads;
    }

    /**
     * Returns whether Linux's own peer-to-peer DMA would use this route. It has one answer for both
     * directions.
     */
    public boolean kernelAllows() {
        return peerWrites.allowed() && peerReads.allowed();
    }

    /**
     * Judges one route.
     *
     * @param machine the snapshot
     * @param initiator who reads or writes
     * @param owner whose memory it is
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
                    reason);
        }
        return new Walk(machine, from.get(), to.get()).judge();
    }

    /** Both legs, up to the common bridge. */
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
            common = up.stream().filter(down::contains).findFirst().orElse(null);
        }

        Route judge() {
            List<PciFunction> below = new ArrayList<>();
            below.add(from);
            below.addAll(until(up));
            below.addAll(until(down).reversed());
            below.add(to);
            PciFunction top = common;
            // The two ends count too: several functions of a device may have ACS of their own. So
            // does the common bridge: a root port above two functions sends them up.
            List<PciFunction> redirecting =
                    Stream.concat(below.stream(), Stream.ofNullable(top))
                            .filter(b -> b.acs() != null && b.acs().redirects())
                            .toList();
            if (top != null && redirecting.isEmpty()) {
                List<PciFunction> way = new ArrayList<>(until(up));
                way.add(top);
                way.addAll(until(down).reversed());
                String reason = "both are below " + top.bdf() + " and no bridge redirects";
                return route(
                        Verdict.DIRECT, Verdict.DIRECT, way, false, redirecting, below, reason);
            }
            List<PciFunction> way = new ArrayList<>(up);
            way.addAll(down.reversed());
            List<PciFunction> linked = new ArrayList<>(way);
            linked.add(from);
            linked.add(to);
            RootComplex root = machine.rootComplexBetween(from.bdf(), to.bdf());
            boolean redirected = top != null;
            String why =
                    redirected
                            ? redirection(redirecting.getFirst())
                            : "they share no bridge, so it goes through the root complex: ";
            return route(
                    throughRoot(root.peerWrites(), redirected),
                    throughRoot(root.peerReads(), redirected),
                    way,
                    true,
                    redirected ? redirecting : List.of(),
                    linked,
                    why + root.source());
        }

        private Route route(
                Verdict writes,
                Verdict reads,
                List<PciFunction> way,
                boolean crossesRoot,
                List<PciFunction> redirecting,
                List<PciFunction> linked,
                String reason) {
            return new Route(
                    from.bdf(),
                    to.bdf(),
                    writes,
                    reads,
                    way,
                    crossesRoot,
                    redirecting,
                    narrowest(linked),
                    reason);
        }

        private List<PciFunction> until(List<PciFunction> path) {
            return path.subList(0, common == null ? path.size() : path.indexOf(common));
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
        return bridge.acs() == null || bridge.acs().known()
                ? "ACS on " + bridge.bdf() + " redirects it to the root complex: "
                : "ACS on " + bridge.bdf() + " can't be read (only root may), so it may redirect: ";
    }

    private static Verdict throughRoot(RootComplex.Trust trust, boolean redirected) {
        return switch (trust) {
            case TRUSTED -> Verdict.ROOT_TRUSTED;
            case UNKNOWN -> redirected ? Verdict.REDIRECTED : Verdict.ROOT_UNTRUSTED;
            case REFUSED -> Verdict.REFUSED;
        };
    }
}
