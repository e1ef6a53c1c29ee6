package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.Clock;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Ports of which a command ended in an error. The error is the device's word alone: it may move the
 * command's data all the same, and later. So its queue is deleted before the memory goes back.
 */
public final class Suspects {
    private final Set<BlockPort> ports = new LinkedHashSet<>();

    /** Adds a port. */
    public void add(BlockPort port) {
        ports.add(port);
    }

    /**
     * Stops them all.
     *
     * @param peers whether their memory is a device's: then what they posted before they stopped is
     *     given the time to arrive
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
