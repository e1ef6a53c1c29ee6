package dev.peerlane.emulator.bus;

import dev.peerlane.Bits;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The queues that packets go through between two places of the tree. A switch routes by address to
 * one of its ports, unless Access Control Services on the ingress port redirect or block the packet
 * (PCIe 5.0, 6.12). Besides the routes of the tree there may be second ones.
 */
final class PacketRoutes {
    private static final PacketModel.Link MEMORY = new PacketModel.Link(80, 20_000_000_000L, 64);
    private static final int SLOWNESS = 50;
    private static final long PAGE_BYTES = Bits.PAGE_BYTES;

    /** The kind of a packet, as ports see it. */
    enum Sort {
        /** A request whose address the IOMMU has to translate. */
        REQUEST,
        /** A request whose address was translated already (ATS). */
        TRANSLATED_REQUEST,
        /** A completion. */
        COMPLETION
    }

    /** A second route besides the tree's, and the rule which packets take it. */
    private static final class Second {
        private final Way way;
        private final PacketModel.Takes takes;
        private final SplittableRandom random;

        Second(Way way, PacketModel.Takes takes, SplittableRandom random) {
            this.way = way;
            this.takes = takes;
            this.random = random;
        }

        boolean takes(long address, Sort sort) {
            return switch (takes) {
                case ANY -> random.nextBoolean();
                case PAGES -> (address / PAGE_BYTES & 1) != 0;
                case COMPLETIONS -> sort == Sort.COMPLETION;
            };
        }
    }

    /**
     * A route.
     *
     * @param hops the queues on it
     * @param throughRoot whether it goes through the root complex
     * @param stopped what stops packets at the end of the hops; empty if nothing does
     * @param second a second route, or null
     */
    record Way(List<Hop> hops, boolean throughRoot, String stopped, @Nullable Second second) {
        Way(List<Hop> hops, boolean throughRoot) {
            this(hops, throughRoot, "", null);
        }

        boolean isStopped() {
            return !stopped.isEmpty();
        }

        /** Returns the route of one packet. */
        Way of(long address, Sort sort) {
            return second != null && second.takes(address, sort) ? second.way : this;
        }
    }

    private record Ends(EmulatedFunction from, @Nullable EmulatedFunction to, Sort sort) {}

    private final PacketModel model;
    private final Events events;
    private final SplittableRandom random;
    private final Map<String, Hop> hops = new HashMap<>();
    private final Map<Ends, Way> ways = new HashMap<>();
    private final Map<EmulatedFunction, List<Hop>> up = new HashMap<>();
    private final Map<EmulatedFunction, List<Hop>> down = new HashMap<>();
    private final Map<EmulatedFunction, Way> back = new HashMap<>();

    PacketRoutes(PacketModel model, Events events, SplittableRandom random) {
        this.model = model;
        this.events = events;
        this.random = random;
    }

    /** Discards the routes, but keeps the queues. */
    void forget() {
        ways.clear();
    }

    /** Returns how often a packet left a queue before one that had arrived earlier. */
    long passings() {
        return hops.values().stream().mapToLong(Hop::passings).sum();
    }

    /** Returns the queue through which a function's packets leave it. */
    Hop exit(EmulatedFunction function) {
        return toHost(function).getFirst();
    }

    /** Returns the route to host memory, which completions to the processor take too. */
    List<Hop> toHost(EmulatedFunction from) {
        List<Hop> known = up.get(from);
        if (known != null) {
            return known;
        }
        List<Hop> way = new ArrayList<>(climb(from, null));
        way.add(hop("memory of " + rootPort(from).bdf(), MEMORY));
        up.put(from, way);
        return way;
    }

    /** Returns the route of a request to host memory. */
    Way toMemory(EmulatedFunction from, Sort sort) {
        return ways.computeIfAbsent(
                new Ends(from, null, sort),
                e -> {
                    Way stopped = translationBlocked(from, null, sort);
                    return stopped != null ? stopped : new Way(toHost(from), false);
                });
    }

    /** Returns the route of completions from host memory to a function. */
    Way fromMemory(EmulatedFunction to) {
        return back.computeIfAbsent(to, f -> new Way(descend(f, null), false));
    }

    /**
     * Returns the route of requests from the processor. Its stores may wait before they leave it.
     */
    List<Hop> fromHost(EmulatedFunction to) {
        return down.computeIfAbsent(
                to,
                f -> {
                    List<Hop> way = new ArrayList<>();
                    if (model.hostStoreNanos() > 0) {
                        PacketModel.Link wait =
                                new PacketModel.Link(
                                        model.hostStoreNanos(), MEMORY.bytesPerSecond(), 64);
                        way.add(hop("processor to " + f.bdf(), wait));
                    }
                    way.addAll(descend(f, null));
                    return way;
                });
    }

    /** Returns the route from one function to another. */
    Way between(EmulatedFunction from, EmulatedFunction to, Sort sort) {
        return ways.computeIfAbsent(
                new Ends(from, to, sort), e -> beside(from, to, find(from, to, sort)));
    }

    /** Adds the second route, if these two functions have one. */
    private Way beside(EmulatedFunction from, EmulatedFunction to, Way tree) {
        for (PacketModel.SecondWay second : model.secondWays()) {
            if (second.isBetween(nameOf(from), nameOf(to))) {
                String name = "second way from %s to %s".formatted(from.bdf(), to.bdf());
                List<Hop> hops = new ArrayList<>(climb(from, from.parent()));
                hops.add(hop(name, second.link()));
                hops.addAll(descend(to, to.parent()));
                return new Way(
                        tree.hops(),
                        tree.throughRoot(),
                        tree.stopped(),
                        new Second(new Way(hops, false), second.takes(), random.split()));
            }
        }
        return tree;
    }

    private static String nameOf(EmulatedFunction f) {
        DriveModel drive = f.drive();
        return drive == null ? "" : drive.name();
    }

    /**
     * Finds the route in the tree. ACS applies at the port where the routes to both ends part
     * (6.12.3).
     */
    private Way find(EmulatedFunction from, EmulatedFunction to, Sort sort) {
        EmulatedFunction ingress = from;
        while (ingress.parent() != null && !isAbove(ingress.parent(), to)) {
            ingress = ingress.parent();
        }
        EmulatedFunction common = ingress.parent();
        Way blocked = translationBlocked(from, common, sort);
        if (blocked != null) {
            return blocked;
        }
        if (common != null) {
            switch (turn(ingress, egress(common, to), sort)) {
                case ACROSS -> {
                    List<Hop> way = new ArrayList<>(climb(from, common));
                    way.addAll(descend(to, common));
                    return new Way(way, false);
                }
                case STOP -> {
                    return stopped(from, ingress, "egress control");
                }
                case UP -> {}
            }
            Way back = translationBlocked(from, null, sort);
            EmulatedFunction deaf = withoutUpstreamForwarding(common);
            if (back != null) {
                return back;
            }
            if (deaf != null) {
                return stopped(from, deaf, "no upstream forwarding");
            }
        }
        return throughRoot(from, to);
    }

    private Way throughRoot(EmulatedFunction from, EmulatedFunction to) {
        List<Hop> way = new ArrayList<>(climb(from, null));
        boolean slow = model.forwarding() == PacketModel.Forwarding.SLOW;
        PacketModel.Link link =
                new PacketModel.Link(
                        model.forwardingNanos(),
                        Math.max(1000, model.link().bytesPerSecond() / (slow ? SLOWNESS : 1)),
                        model.link().credits());
        String name =
                "root complex from %s to %s".formatted(rootPort(from).bdf(), rootPort(to).bdf());
        way.add(hop(name, link));
        way.addAll(descend(to, null));
        return new Way(way, true);
    }

    private enum Turn {
        ACROSS,
        UP,
        STOP
    }

    /** Returns what a port does with a packet for another port of its switch (table 6-10). */
    private static Turn turn(EmulatedFunction ingress, EmulatedFunction egress, Sort sort) {
        Acs acs = Acs.of(ingress.config());
        if (acs == null) {
            return Turn.ACROSS;
        }
        if (sort == Sort.COMPLETION) {
            return acs.completionRedirect() ? Turn.UP : Turn.ACROSS;
        }
        if (sort == Sort.TRANSLATED_REQUEST && acs.directTranslated()) {
            return Turn.ACROSS;
        }
        boolean controlled = acs.egressControl();
        if (controlled && !acs.controlsEgress(PciDetails.portNumberOf(egress.config()))) {
            return Turn.ACROSS;
        }
        return acs.requestRedirect() ? Turn.UP : controlled ? Turn.STOP : Turn.ACROSS;
    }

    /**
     * Returns the route up to the first port that blocks the address type, or null if none does.
     * Every port on the way up checks it before anything else (6.12.1.1).
     */
    private @Nullable Way translationBlocked(
            EmulatedFunction from, @Nullable EmulatedFunction end, Sort sort) {
        if (sort != Sort.TRANSLATED_REQUEST) {
            return null;
        }
        for (EmulatedFunction f = from.parent(); f != null && f != end; f = f.parent()) {
            Acs acs = Acs.of(f.config());
            if (acs != null && acs.translationBlocking()) {
                return stopped(from, f, "translation blocking");
            }
        }
        return null;
    }

    /**
     * Returns the first switch port on the way up that lacks upstream forwarding, or null. Such a
     * port does not accept a packet from below for a function below.
     */
    private static @Nullable EmulatedFunction withoutUpstreamForwarding(EmulatedFunction above) {
        for (EmulatedFunction f = above.parent(); f != null; f = f.parent()) {
            Acs acs = Acs.of(f.config());
            boolean port = PciFunction.kindOf(f.config()) == PciFunction.Kind.SWITCH_DOWNSTREAM;
            if (port && (acs == null || !acs.upstreamForwarding())) {
                return f;
            }
        }
        return null;
    }

    private Way stopped(EmulatedFunction from, EmulatedFunction port, String why) {
        String what = "ACS of %s: %s".formatted(port.bdf(), why);
        return new Way(climb(from, port), false, what, null);
    }

    private static EmulatedFunction egress(EmulatedFunction common, EmulatedFunction to) {
        EmulatedFunction at = to;
        EmulatedFunction parent = at.parent();
        while (parent != null && parent != common) {
            at = parent;
            parent = at.parent();
        }
        return at;
    }

    private List<Hop> climb(EmulatedFunction from, @Nullable EmulatedFunction end) {
        List<Hop> way = new ArrayList<>();
        for (EmulatedFunction f = from; f != null && f != end; f = f.parent()) {
            if (hasLink(f)) {
                way.add(hop("link up from " + f.bdf(), link(f)));
            }
        }
        return way;
    }

    private List<Hop> descend(EmulatedFunction to, @Nullable EmulatedFunction end) {
        List<Hop> way = new ArrayList<>();
        for (EmulatedFunction f = to; f != null && f != end; f = f.parent()) {
            if (hasLink(f)) {
                way.addFirst(hop("link down to " + f.bdf(), link(f)));
            }
        }
        return way;
    }

    /**
     * Returns whether there is a link above a function: links are below root ports and switch
     * downstream ports.
     */
    private static boolean hasLink(EmulatedFunction f) {
        EmulatedFunction parent = f.parent();
        return parent != null
                && PciFunction.kindOf(parent.config()) != PciFunction.Kind.SWITCH_UPSTREAM;
    }

    private PacketModel.Link link(EmulatedFunction lower) {
        DriveModel drive = lower.drive();
        PacketModel.Link named = drive == null ? null : model.links().get(drive.name());
        EmulatedFunction upper = lower.parent();
        if (named == null && upper != null) {
            named = model.links().get(upper.bdf().toString());
        }
        return named == null ? model.link() : named;
    }

    private Hop hop(String name, PacketModel.Link link) {
        return hops.computeIfAbsent(
                name, n -> new Hop(n, link, model.reorder(), events, random.split()));
    }

    private static boolean isAbove(EmulatedFunction above, EmulatedFunction f) {
        for (EmulatedFunction at = f; at != null; at = at.parent()) {
            if (at == above) {
                return true;
            }
        }
        return false;
    }

    private static EmulatedFunction rootPort(EmulatedFunction f) {
        EmulatedFunction at = f;
        EmulatedFunction parent = at.parent();
        while (parent != null) {
            at = parent;
            parent = at.parent();
        }
        return at;
    }
}
