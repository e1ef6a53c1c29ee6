package dev.peerlane.copy.planning;

import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import org.jspecify.annotations.Nullable;

/**
 * A sender whose packets may be longer than a function on their route accepts. Such a packet is
 * malformed (PCIe 5.0, 2.2.2), which is a fatal error, not just slow.
 *
 * @param sender the function that sends packets with data
 * @param receiver the function on the route with the smallest limit
 */
public record Oversize(PciFunction sender, PciFunction receiver) {
    /**
     * Checks a route for packets that are too long. Returns null if there are none, or no length is
     * known.
     *
     * @param machine the snapshot
     * @param route the route
     * @param direction whether the initiator writes, or reads and the owner answers
     */
    public static @Nullable Oversize on(Machine machine, Route route, Direction direction) {
        PciFunction sender =
                machine.function(direction == Direction.WRITE ? route.initiator() : route.owner())
                        .orElse(null);
        PciFunction least = null;
        for (PciFunction f : route.functions(machine)) {
            int takes = f.details().payloadBytes();
            boolean less = sender != null && takes > 0 && takes < sender.details().payloadBytes();
            if (less && (least == null || takes < least.details().payloadBytes())) {
                least = f;
            }
        }
        return sender == null || least == null ? null : new Oversize(sender, least);
    }

    /** Returns the problem as text for a person. */
    public String words() {
        return "%s sends up to %d bytes, and %s takes %d"
                .formatted(
                        sender.bdf(),
                        sender.details().payloadBytes(),
                        receiver.bdf(),
                        receiver.details().payloadBytes());
    }
}
