package dev.peerlane.pci;

import java.util.ArrayList;
import java.util.List;

/**
 * The way from a DMA initiator to a peer's memory, and the verdict on it for each direction.
 *
 * <p>The rule is the one Linux uses for peer-to-peer DMA: walk up from both ends to the common
 * bridge; if no bridge strictly below it redirects, the traffic goes straight across the switch;
 * otherwise, or with no common bridge, it goes through the root complex, and what is known of that
 * decides.
 *
 * @param initiator the function that reads or writes
 * @param owner the function whose memory it is
 * @param peerWrites what becomes of the initiator's writes
 * @param peerReads what becomes of the initiator's reads
 * @param bridges the bridges on the way, from initiator to owner
 * @param crossesRoot whether it goes through the root complex
 * @param reason why, for a person
 */
public record Route(
        Bdf initiator,
        Bdf owner,
        Verdict peerWrites,
        Verdict peerReads,
        List<PciFunction> bridges,
        boolean crossesRoot,
        String reason) {

    /** Keeps its own copy of the list. */
    public Route {
        bridges = List.copyOf(bridges);
    }

    /** Returns how many bridges are on the way. */
    public int hops() {
        return bridges.size();
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
            return new Route(initiator, owner, Verdict.OWN, Verdict.OWN, List.of(), false, reason);
        }
        if (machine.function(initiator).isEmpty() || machine.function(owner).isEmpty()) {
            Bdf missing = machine.function(initiator).isEmpty() ? initiator : owner;
            String reason = missing + " is not in the snapshot of the PCI tree";
            return new Route(
                    initiator, owner, Verdict.REFUSED, Verdict.REFUSED, List.of(), true, reason);
        }
        List<PciFunction> up = machine.bridgesAbove(initiator);
        List<PciFunction> down = machine.bridgesAbove(owner);
        PciFunction common = null;
        for (PciFunction bridge : up) {
            if (down.contains(bridge)) {
                common = bridge;
                break;
            }
        }
        List<PciFunction> below = new ArrayList<>();
        below.addAll(until(up, common));
        below.addAll(until(down, common).reversed());
        PciFunction redirecting =
                below.stream()
                        .filter(b -> b.acs() != null && b.acs().redirects())
                        .findFirst()
                        .orElse(null);
        RootComplex root = machine.rootComplex();
        if (common != null && redirecting == null) {
            List<PciFunction> way = new ArrayList<>(until(up, common));
            way.add(common);
            way.addAll(until(down, common).reversed());
            String reason = "both are below " + common.bdf() + " and no bridge redirects";
            return new Route(initiator, owner, Verdict.DIRECT, Verdict.DIRECT, way, false, reason);
        }
        List<PciFunction> way = new ArrayList<>(up);
        way.addAll(down.reversed());
        String reason =
                redirecting == null
                        ? "they share no bridge, so it goes through the root complex: "
                        : redirection(redirecting);
        boolean redirected = redirecting != null;
        return new Route(
                initiator,
                owner,
                throughRoot(root.peerWrites(), redirected),
                throughRoot(root.peerReads(), redirected),
                way,
                true,
                reason + root.source());
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

    private static List<PciFunction> until(
            List<PciFunction> path, @org.jspecify.annotations.Nullable PciFunction common) {
        int end = common == null ? path.size() : path.indexOf(common);
        return path.subList(0, end);
    }
}
