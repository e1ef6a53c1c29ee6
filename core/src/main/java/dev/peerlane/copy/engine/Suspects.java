package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.Clock;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Ports on which a command ended in an error. The status is only the device's claim: it may still
 * move the command's data later. So the port's queue is deleted before the memory is released.
 */
public final class Suspects {
    private final Set<BlockPort> ports = new LinkedHashSet<>();

    /** Adds a port. */
    public void add(BlockPort port) {
        ports.add(port);
    }

    /**
     * Stops all ports.
     *
     * @param peers whether their memory belongs to a device; if so, the writes that they posted
     *     before they stopped are given time to arrive
     * @return the first error, after which a device could still touch the memory; null for none
     */
    public @Nullable PeerlaneException stop(Clock clock, boolean peers) {
        PeerlaneException first = null;
        for (BlockPort port : ports) {
            try {
                port.quiesce();
            } catch (PeerlaneException | InternalError e) {
                if (first == null) {
                    first = Faults.of(e);
                } else {
                    Faults.add(first, e);
                }
            }
        }
        if (peers && !ports.isEmpty()) {
            clock.await(() -> false, WindDown.ARRIVAL_NANOS);
        }
        ports.clear();
        return first;
    }
}
