package dev.peerlane.copy;

import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.TrafficCounters;
import java.util.OptionalLong;

/**
 * What a copy needs besides the ports and the memories of its endpoints: time, host memory, and a
 * count of the data bytes that crossed host memory. A fabric provides all three ({@link #of});
 * other kinds of endpoints provide their own. Used by the thread that owns the endpoints.
 */
public interface Surroundings {
    /** Returns the clock of the endpoints, in which all waiting is done. */
    Clock clock();

    /** Returns host memory that both endpoints can use. */
    HostMemory hostMemory();

    /** Returns how many data bytes have crossed host memory so far; empty if no one counts them. */
    OptionalLong hostDataBytes();

    /** Returns the surroundings that a fabric provides. */
    static Surroundings of(Fabric fabric) {
        return new Surroundings() {
            @Override
            public Clock clock() {
                return fabric.clock();
            }

            @Override
            public HostMemory hostMemory() {
                return new HostMemory(fabric.dma());
            }

            @Override
            public OptionalLong hostDataBytes() {
                return fabric.traffic()
                        .map(TrafficCounters::total)
                        .map(total -> OptionalLong.of(total.hostData()))
                        .orElse(OptionalLong.empty());
            }
        };
    }
}
