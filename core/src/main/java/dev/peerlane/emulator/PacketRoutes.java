package dev.peerlane.emulator;

import dev.peerlane.pci.Acs;
import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The queues that packets go through between two places of the tree. A switch routes by address to
 * one of its ports, unless Access Control Services on the port by which the packet came send it up
 * (PCIe 5.0, 6.12).
 */
final class PacketRoutes {
    private static final PacketSpec.Link MEMORY = new PacketSpec.Link(80, 20_000_000_000L, 64);
    private static final int SLOWNESS = 50;

    /** A way, and whether it leads through the root complex. */
    record Way(List<Hop> hops, boolean throughRoot) {}

    private record Ends(EmulatedFunction from, EmulatedFunction to, boolean completion) {}

    private final PacketSpec spec;
    private final Events events;
    private final SplittableRandom random;
    private final Map<String, Hop> hops = new HashMap<>();
    private final Map<Ends, Way> ways = new HashMap<>();
    private final Map<EmulatedFunction, List<Hop>> up = new HashMap<>();
    private final Map<EmulatedFunction, List<Hop>> down = new HashMap<>();

    PacketRoutes(PacketSpec spec, Events events, SplittableRandom random) {
        this.spec = spec;
        this.events = events;
        this.random = random;
    }

    /** Forgets ways, not queues. */
    void forget() {
        ways.clear();
    }

    /** Returns how often a packet left a queue before one that had come earlier. */
    long passings() {
        return hops.values().stream().mapToLong(Hop::passings).sum();
    }

    /** Returns the queue by which a function's packets leave it. */
    Hop exit(EmulatedFunction function) {
        return toHost(function).getFirst();
    }

    /** The way to host memory, and of completions to the processor. */
    List<Hop> toHost(EmulatedFunction from) {
        return up.computeIfAbsent(
                from,
                f -> {
                    List<Hop> way = new ArrayList<>(climb(f, null));
                    way.add(hop("memory of " + rootPort(f).bdf(), MEMORY));
                    return way;
                });
    }

    /** The way from host memory to a function: of completions. */
    List<Hop> fromMemory(EmulatedFunction to) {
        return descend(to, null);
    }

    /** The way from the processor: requests. Its stores may wait before they leave it. */
    List<Hop> fromHost(EmulatedFunction to) {
        return down.computeIfAbsent(
                to,
                f -> {
                    List<Hop> way = new ArrayList<>();
                    if (spec.hostStoreNanos() > 0) {
                        PacketSpec.Link wait =
                                new PacketSpec.Link(
                                        spec.hostStoreNanos(), MEMORY.bytesPerSecond(), 64);
                        way.add(hop("processor to " + f.bdf(), wait));
                    }
                    way.addAll(descend(f, null));
                    return way;
                });
    }

    /** The way from one function to another. */
    Way between(EmulatedFunction from, EmulatedFunction to, boolean completion) {
        return ways.computeIfAbsent(new Ends(from, to, completion), this::find);
    }

    private Way find(Ends ends) {
        EmulatedFunction common = null;
        EmulatedFunction below = ends.from();
        EmulatedFunction at = ends.from();
        while (at != null && common == null) {
            if (isAbove(at, ends.to())) {
                common = at;
            } else {
                below = at;
                at = at.parent();
            }
        }
        Acs acs = Acs.of(below.config());
        boolean redirected =
                acs != null
                        && (ends.completion() ? acs.completionRedirect() : acs.requestRedirect());
        if (common != null && !redirected) {
            List<Hop> way = new ArrayList<>(climb(ends.from(), common));
            way.addAll(descend(ends.to(), common));
            return new Way(way, false);
        }
        List<Hop> way = new ArrayList<>(climb(ends.from(), null));
        boolean slow = spec.forwarding() == PacketSpec.Forwarding.SLOW;
        PacketSpec.Link link =
                new PacketSpec.Link(
                        spec.forwardingNanos(),
                        Math.max(1000, spec.link().bytesPerSecond() / (slow ? SLOWNESS : 1)),
                        spec.link().credits());
        String name =
                "root complex from %s to %s"
                        .formatted(rootPort(ends.from()).bdf(), rootPort(ends.to()).bdf());
        way.add(hop(name, link));
        way.addAll(descend(ends.to(), null));
        return new Way(way, true);
    }

    private List<Hop> climb(
            EmulatedFunction from, @org.jspecify.annotations.Nullable EmulatedFunction end) {
        List<Hop> way = new ArrayList<>();
        for (EmulatedFunction f = from; f != null && f != end; f = f.parent()) {
            if (hasLink(f)) {
                way.add(hop("link up from " + f.bdf(), link(f)));
            }
        }
        return way;
    }

    private List<Hop> descend(
            EmulatedFunction to, @org.jspecify.annotations.Nullable EmulatedFunction end) {
        List<Hop> way = new ArrayList<>();
        for (EmulatedFunction f = to; f != null && f != end; f = f.parent()) {
            if (hasLink(f)) {
                way.addFirst(hop("link down to " + f.bdf(), link(f)));
            }
        }
        return way;
    }

    /** A link is between a root port or a switch's downstream port and what is below it. */
    private static boolean hasLink(EmulatedFunction f) {
        EmulatedFunction parent = f.parent();
        return parent != null
                && PciFunction.kindOf(parent.config()) != PciFunction.Kind.SWITCH_UPSTREAM;
    }

    private PacketSpec.Link link(EmulatedFunction lower) {
        DriveSpec drive = lower.drive();
        PacketSpec.Link named = drive == null ? null : spec.links().get(drive.name());
        EmulatedFunction upper = lower.parent();
        if (named == null && upper != null) {
            named = spec.links().get(upper.bdf().toString());
        }
        return named == null ? spec.link() : named;
    }

    private Hop hop(String name, PacketSpec.Link link) {
        return hops.computeIfAbsent(
                name, n -> new Hop(n, link, spec.reorder(), events, random.split()));
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
