package dev.peerlane.copy.planning;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;

/**
 * Two memory BARs that lie in one place of the bus: a packet for the one could reach the other.
 *
 * @param owner one function
 * @param mine its BAR
 * @param other the other function
 * @param theirs the BAR of that
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

    /** Returns it in words. */
    public String words() {
        return "BARs of %s and %s overlap".formatted(owner.bdf(), other.bdf());
    }
}
