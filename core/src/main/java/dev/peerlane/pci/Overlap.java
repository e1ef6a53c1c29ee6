package dev.peerlane.pci;

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
    /** Returns those of a function with others, in whatever segment; one for each pair. */
    static List<Overlap> of(PciFunction owner, List<PciFunction> functions) {
        List<Overlap> out = new ArrayList<>();
        for (PciFunction f : functions) {
            if (f.bdf().equals(owner.bdf())) {
                continue;
            }
            for (PciFunction.BarWindow mine : owner.bars()) {
                f.bars().stream()
                        .filter(theirs -> overlap(mine, theirs))
                        .findFirst()
                        .ifPresent(theirs -> out.add(new Overlap(owner, mine, f, theirs)));
            }
        }
        return List.copyOf(out);
    }

    private static boolean overlap(PciFunction.BarWindow a, PciFunction.BarWindow b) {
        return Long.compareUnsigned(a.address(), b.address() + b.sizeBytes()) < 0
                && Long.compareUnsigned(b.address(), a.address() + a.sizeBytes()) < 0;
    }

    /** Returns it in words. */
    public String words() {
        return "BARs of %s and %s overlap".formatted(owner.bdf(), other.bdf());
    }
}
