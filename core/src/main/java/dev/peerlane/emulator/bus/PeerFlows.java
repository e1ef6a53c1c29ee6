package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.watch.PeerFlow;
import dev.peerlane.pci.Direction;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Records which functions accessed the memory of which others, and by which route. */
final class PeerFlows {
    private final Set<PeerFlow> flows = new LinkedHashSet<>();
    private @Nullable PeerFlow last;

    /** Records a request. Most requests have the same ends as the one before. */
    void count(
            EmulatedFunction initiator,
            EmulatedFunction owner,
            Direction direction,
            boolean throughRoot) {
        PeerFlow before = last;
        if (before == null
                || !before.initiator().equals(initiator.bdf())
                || !before.owner().equals(owner.bdf())
                || before.direction() != direction
                || before.throughRoot() != throughRoot) {
            last = new PeerFlow(initiator.bdf(), owner.bdf(), direction, throughRoot);
            flows.add(last);
        }
    }

    /** Returns the flows so far. */
    Set<PeerFlow> all() {
        return Set.copyOf(flows);
    }
}
