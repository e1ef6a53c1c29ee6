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
 * A snapshot of the PCI tree of one machine: the only input of every {@link Route}. Immutable.
 *
 * <p>The root complex is either described as a whole, or each pair is judged by the processor and
 * by the host bridges on both ends.
 */
public final class Machine {
    private static final int MAX_DEPTH = 64;

    private final List<PciFunction> functions;
    private final RootComplex rootComplex;
    private final @Nullable Cpu cpu;
    private final Set<Set<Bdf>> splitWrites;
    private final Map<Bdf, PciFunction> byBdf = new TreeMap<>();
    private final Map<Bdf, PciFunction> firstOnRootBus = new HashMap<>();

    /** Found once for each owner: every pair of a machine asks. */
    private final Map<Bdf, List<PciFunction>> overlapping = new ConcurrentHashMap<>();

    /**
     * Makes a snapshot whose root complex was described.
     *
     * @param functions all functions; of those with one address, the first counts
     * @param rootComplex what is known of the root complex
     */
    public Machine(List<PciFunction> functions, RootComplex rootComplex) {
        this(functions, rootComplex, null, Set.of());
    }

    /** Makes a snapshot of a real machine; {@link Cpu#UNKNOWN} if nothing is known of it. */
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
     * Returns it with knowledge that no tree shows: pairs of functions between which successive
     * writes take now one way and now another, so that they arrive in any order.
     */
    public Machine withSplitWrites(Set<Set<Bdf>> pairs) {
        return new Machine(functions, rootComplex, cpu, pairs);
    }

    /** Returns whether successive writes between two functions are known to take several ways. */
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

    /** Returns what is known of the root complex where no pair is named. */
    public RootComplex rootComplex() {
        return rootComplex;
    }

    /** Returns the processor, or null where the root complex was described. */
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

    /** Returns the functions right below a bridge, or those on root buses for null. */
    public List<PciFunction> below(@Nullable Bdf bridge) {
        return functions.stream()
                .filter(f -> Objects.equals(f.parent(), bridge))
                .sorted(Comparator.comparing(PciFunction::bdf))
                .toList();
    }

    /**
     * Returns the bridges above a function, the nearest first. A snapshot with a loop or a missing
     * parent ends the walk there.
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

    /** Returns the device that stands for the host bridge above a function. */
    public Optional<PciFunction> hostBridge(Bdf bdf) {
        List<PciFunction> above = bridgesAbove(bdf);
        Optional<PciFunction> top = above.isEmpty() ? function(bdf) : Optional.of(above.getLast());
        return top.map(t -> firstOnRootBus.get(busOf(t.bdf()))).filter(HostBridges::mayStand);
    }

    /** Returns whether Linux's list of host bridges has the device that stands for this one. */
    public static boolean isListed(PciFunction hostBridge) {
        return HostBridges.entry(hostBridge).isPresent();
    }

    /** Returns what is known of the root complex for traffic between two functions. */
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
