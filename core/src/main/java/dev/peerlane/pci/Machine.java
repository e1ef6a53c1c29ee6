package dev.peerlane.pci;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of the PCI tree of one machine: the only input of every {@link Route}.
 *
 * @param functions all functions, in bus order
 * @param rootComplex what is known of the root complex as a whole; used where there is no {@code
 *     cpu}
 * @param cpu the processor of a real machine: then each pair is judged by it and by the host
 *     bridges on both ends; null where the root complex was described instead
 */
public record Machine(List<PciFunction> functions, RootComplex rootComplex, @Nullable Cpu cpu) {
    private static final int MAX_DEPTH = 64;

    /** Sorts the functions and keeps its own copy; of functions with one address, the first. */
    public Machine {
        Map<Bdf, PciFunction> byBdf = new java.util.TreeMap<>();
        functions.forEach(f -> byBdf.putIfAbsent(f.bdf(), f));
        functions = List.copyOf(byBdf.values());
    }

    /** Makes a snapshot whose root complex was described. */
    public Machine(List<PciFunction> functions, RootComplex rootComplex) {
        this(functions, rootComplex, null);
    }

    /** Makes a snapshot of a real machine. */
    public Machine(List<PciFunction> functions, Cpu cpu) {
        this(functions, HostBridges.judge(cpu, null, null), cpu);
    }

    /** Returns a function, if it is in the snapshot. */
    public Optional<PciFunction> function(Bdf bdf) {
        return functions.stream().filter(f -> f.bdf().equals(bdf)).findFirst();
    }

    /** Returns the NVMe controllers, in bus order. */
    public List<PciFunction> nvmeFunctions() {
        return functions.stream().filter(PciFunction::isNvme).toList();
    }

    /** Returns the functions right below a bridge, or those on root buses for null. */
    public List<PciFunction> below(@Nullable Bdf bridge) {
        return functions.stream()
                .filter(f -> java.util.Objects.equals(f.parent(), bridge))
                .sorted(Comparator.comparing(PciFunction::bdf))
                .toList();
    }

    /**
     * Returns the bridges above a function, the nearest first. A snapshot with a loop or a missing
     * parent ends the walk there.
     */
    public List<PciFunction> bridgesAbove(Bdf bdf) {
        Map<Bdf, PciFunction> byBdf = new HashMap<>();
        functions.forEach(f -> byBdf.put(f.bdf(), f));
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
        return top.flatMap(t -> HostBridges.bridgeOf(functions, t));
    }

    /** Returns what is known of the root complex for traffic between two functions. */
    public RootComplex rootComplexBetween(Bdf from, Bdf to) {
        Cpu known = cpu;
        return known == null
                ? rootComplex
                : HostBridges.judge(
                        known, hostBridge(from).orElse(null), hostBridge(to).orElse(null));
    }
}
