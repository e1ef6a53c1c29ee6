package dev.peerlane.copy.planning;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;

/**
 * Two memory BARs with overlapping bus addresses: a packet for one could reach the other.
 *
 * @param owner one function
 * @param mine the BAR of {@code owner}
 * @param other the other function
 * @param theirs the BAR of {@code other}
 */
public record Overlap(
        PciFunction owner,
        PciFunction.BarWindow mine,
        PciFunction other,
        PciFunction.BarWindow theirs) {
    /** Returns those of a function with others, in whatever segment, one for each of its BARs. */
    public static List<Overlap> of(Machine machine, Bdf bdf) {
        PciFunction owner = machine.function(bdf).orElse(null);
        if (owner == null) {
            return List.of();
        }
        List<Overlap> out = new ArrayList<>();
        for (PciFunction f : machine.overlapping(bdf)) {
            for (PciFunction.BarWindow mine : owner.bars()) {
                f.bars().stream()
                        .filter(mine::overlaps)
                        .findFirst()
                        .ifPresent(theirs -> out.add(new Overlap(owner, mine, f, theirs)));
            }
        }
        return List.copyOf(out);
    }

    /** Returns the overlap as text for a person. */
    public String words() {
        return "BARs of %s and %s overlap".formatted(owner.bdf(), other.bdf());
    }
}
