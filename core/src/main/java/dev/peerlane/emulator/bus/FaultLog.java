package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.pci.Direction;
import java.util.ArrayList;
import java.util.List;

/** The first requests that did not get through, as an IOMMU's fault records keep them. */
public final class FaultLog {
    private static final int MAX = 256;

    private final List<DmaFault> first = new ArrayList<>();

    /** Counts and keeps one. */
    void add(
            EmulatedFunction initiator, long address, long bytes, Direction direction, String why) {
        initiator.traffic().fault(bytes);
        if (first.size() < MAX) {
            first.add(new DmaFault(initiator.bdf(), address, bytes, direction, why));
        }
    }

    /** Returns those that were kept. */
    public List<DmaFault> first() {
        return List.copyOf(first);
    }
}
