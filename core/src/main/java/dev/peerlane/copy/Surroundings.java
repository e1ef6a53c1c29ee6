package dev.peerlane.copy;

import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.TrafficCounters;
import java.util.OptionalLong;

/**
 * What a copy needs of the place where its endpoints are, beside their ports and memories: time,
 * host memory, and a count of the data that crossed it. A fabric gives all three ({@link #of});
 * endpoints of another kind give their own. Used by the thread that owns the endpoints.
 */
public interface Surroundings {
    /** Returns the time and the waiting place of the endpoints. */
    Clock clock();

    /** Returns host memory that both endpoints can use. */
    HostMemory hostMemory();

    /** Returns how many bytes of data crossed host memory so far; empty if nobody counts them. */
    OptionalLong hostDataBytes();

    /** Returns those of a fabric. */
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
