package dev.peerlane.emulator;

import dev.peerlane.hal.DmaFault;
import java.util.ArrayList;
import java.util.List;

/** The first requests that did not get through, as an IOMMU's fault records keep them. */
final class FaultLog {
    private static final int MAX = 256;

    private final List<DmaFault> first = new ArrayList<>();

    /** Counts and keeps one. */
    void add(EmulatedFunction initiator, long address, long bytes, boolean read, String why) {
        initiator.traffic().faulted += bytes;
        if (first.size() < MAX) {
            first.add(new DmaFault(initiator.bdf(), address, bytes, read, why));
        }
    }

    List<DmaFault> first() {
        return List.copyOf(first);
    }
}
