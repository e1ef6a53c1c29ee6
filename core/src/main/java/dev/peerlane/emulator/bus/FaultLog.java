package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.hal.DmaFault;
import dev.peerlane.pci.Direction;
import java.util.ArrayList;
import java.util.List;

/** Records the first requests that did not get through, like an IOMMU's fault records. */
public final class FaultLog {
    private static final int MAX = 256;

    private final List<DmaFault> first = new ArrayList<>();

    /** Counts a request and records it if there is room. */
    void add(
            EmulatedFunction initiator, long address, long bytes, Direction direction, String why) {
        initiator.traffic().fault(bytes);
        if (first.size() < MAX) {
            first.add(new DmaFault(initiator.bdf(), address, bytes, direction, why));
        }
    }

    /** Returns the recorded requests. */
    public List<DmaFault> first() {
        return List.copyOf(first);
    }
}
