package dev.peerlane.pci;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of the PCI tree of one machine, and the only input of every {@link Route}. Immutable.
 *
 * <p>Either the root complex as a whole was described, or each pair is judged by the processor and
 * by the host bridges at both ends.
 */
public final class Machine {
    private static final int MAX_DEPTH = 64;

    private final List<PciFunction> functions;
    private final RootComplex rootComplex;
    private final @Nullable Cpu cpu;
    private final Set<Set<Bdf>> splitWrites;
    private final Map<Bdf, PciFunction> byBdf = new TreeMap<>();
    private final Map<Bdf, PciFunction> firstOnRootBus = new HashMap<>();

    /** Computed once for each owner, because every pair of the machine needs them. */
    private final Map<Bdf, List<PciFunction>> overlapping = new ConcurrentHashMap<>();

    /**
     * Creates a snapshot with a described root complex.
     *
     * @param functions all functions; if several have the same address, the first counts
     * @param rootComplex what is known of the root complex
     */
    public Machine(List<PciFunction> functions, RootComplex rootComplex) {
        this(functions, rootComplex, null, Set.of());
    }

    /**
     * Creates a snapshot of a real machine. Pass {@link Cpu#UNKNOWN} if the processor is not known.
     */
    public Machine(List<PciFunction> functions, Cpu cpu) {
        this(functions, HostBridges.judge(cpu, null, null, false), cpu, Set.of());
    }

    private Machine(
            List<PciFunction> functions,
            RootComplex rootComplex,
            @Nullable Cpu cpu,
            Set<Set<Bdf>> splitWrites) {
        this.splitWrites = Set.copyOf(splitWrites);
        functions.forEach(f -> byBdf.putIfAbsent(f.bdf(), f));
        this.functions = List.copyOf(byBdf.values());
        this.rootComplex = rootComplex;
        this.cpu = cpu;
        for (PciFunction f : this.functions) {
            if (f.parent() == null) {
                firstOnRootBus.putIfAbsent(busOf(f.bdf()), f);
            }
        }
    }

    /**
     * Returns a copy that knows which pairs of functions exchange writes over several paths, so
     * that the writes arrive in any order. The tree does not show this.
     */
    public Machine withSplitWrites(Set<Set<Bdf>> pairs) {
        return new Machine(functions, rootComplex, cpu, pairs);
    }

    /** Returns whether successive writes between two functions are known to take several paths. */
    public boolean splitsWrites(Bdf one, Bdf other) {
        return !one.equals(other) && splitWrites.contains(Set.of(one, other));
    }

    private static Bdf busOf(Bdf bdf) {
        return new Bdf(bdf.segment(), bdf.bus(), 0, 0);
    }

    /** Returns all functions, in bus order. */
    public List<PciFunction> functions() {
        return functions;
    }

    /** Returns what is known of the root complex in general, for no particular pair. */
    public RootComplex rootComplex() {
        return rootComplex;
    }

    /** Returns the processor, or null if the root complex was described. */
    public @Nullable Cpu cpu() {
        return cpu;
    }

    /** Returns a function, if it is in the snapshot. */
    public Optional<PciFunction> function(Bdf bdf) {
        return Optional.ofNullable(byBdf.get(bdf));
    }

    /** Returns the functions that have a BAR where one of this function's is. */
    public List<PciFunction> overlapping(Bdf bdf) {
        return overlapping.computeIfAbsent(
                bdf,
                b ->
                        function(b)
                                .map(f -> functions.stream().filter(f::overlaps).toList())
                                .orElse(List.of()));
    }

    /** Returns the NVMe controllers, in bus order. */
    public List<PciFunction> nvmeFunctions() {
        return functions.stream().filter(PciFunction::isNvme).toList();
    }

    /** Returns the functions directly below a bridge, or with null those on root buses. */
    public List<PciFunction> below(@Nullable Bdf bridge) {
        return functions.stream()
                .filter(f -> Objects.equals(f.parent(), bridge))
                .sorted(Comparator.comparing(PciFunction::bdf))
                .toList();
    }

    /**
     * Returns the bridges above a function, nearest first. The walk ends at a loop or a missing
     * parent.
     */
    public List<PciFunction> bridgesAbove(Bdf bdf) {
        List<PciFunction> path = new ArrayList<>();
        PciFunction at = byBdf.get(bdf);
        while (at != null && path.size() < MAX_DEPTH) {
            Bdf parent = at.parent();
            at = parent == null ? null : byBdf.get(parent);
            if (at != null) {
                path.add(at);
            }
        }
        return path;
    }

    /** Returns the device that represents the host bridge above a function. */
    public Optional<PciFunction> hostBridge(Bdf bdf) {
        List<PciFunction> above = bridgesAbove(bdf);
        Optional<PciFunction> top = above.isEmpty() ? function(bdf) : Optional.of(above.getLast());
        return top.map(t -> firstOnRootBus.get(busOf(t.bdf()))).filter(HostBridges::mayStand);
    }

    /** Returns whether Linux's list of host bridges has the device that stands for this one. */
    public static boolean isListed(PciFunction hostBridge) {
        return HostBridges.entry(hostBridge).isPresent();
    }

    /** Returns what is known of the root complex for traffic from one function to another. */
    public RootComplex rootComplexBetween(Bdf from, Bdf to) {
        Cpu known = cpu;
        return known == null
                ? rootComplex
                : HostBridges.judge(
                        known,
                        hostBridge(from).orElse(null),
                        hostBridge(to).orElse(null),
                        isBelowProcessor(from) && isBelowProcessor(to));
    }

    private boolean isBelowProcessor(Bdf bdf) {
        List<PciFunction> above = bridgesAbove(bdf);
        return !above.isEmpty() && HostBridges.isOfProcessor(above.getLast());
    }
}
