package dev.peerlane.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A snapshot of the PCI tree of one machine: the only input of every {@link Route}.
 *
 * @param functions all functions, in bus order
 * @param rootComplex what is known of its root complex
 */
public record Machine(List<PciFunction> functions, RootComplex rootComplex) {
    private static final int MAX_DEPTH = 64;

    /** Sorts the functions and keeps its own copy. */
    public Machine {
        functions =
                functions.stream()
                        .sorted(java.util.Comparator.comparing(PciFunction::bdf))
                        .toList();
    }

    /** Returns a function, if it is in the snapshot. */
    public Optional<PciFunction> function(Bdf bdf) {
        return functions.stream().filter(f -> f.bdf().equals(bdf)).findFirst();
    }

    /** Returns the NVMe controllers, in bus order. */
    public List<PciFunction> nvmeFunctions() {
        return functions.stream().filter(PciFunction::isNvme).toList();
    }

    /**
     * Returns the bridges above a function, the nearest first. A snapshot with a loop or a missing
     * parent ends the walk there.
     */
    public List<PciFunction> bridgesAbove(Bdf bdf) {
        Map<Bdf, PciFunction> byBdf = new TreeMap<>();
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
}
