package dev.peerlane.copy.engine;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.NullMarked;

/**
 * A world for the engine's tests, without a driver. A turn takes a microsecond, ports execute
 * commands out of order, and data that was posted to a peer's memory arrives late.
 */
@NullMarked
public final class FakeWorld extends Fabric {
    public static final Bdf SOURCE = new Bdf(0, 3, 0, 0);
    public static final Bdf TARGET = new Bdf(0, 4, 0, 0);
    public static final Bdf THIRD = new Bdf(0, 5, 0, 0);

    public final SplittableRandom random;
    public final List<FakePort> ports = new ArrayList<>();
    public RootComplex root =
            new RootComplex(RootComplex.Trust.TRUSTED, RootComplex.Trust.TRUSTED, "a fake");
    public boolean relaxedOrdering;
    public long nanos;
    public int lingers;
    private long nextHostAddress = 0x1_0000_0000L;

    public FakeWorld(long seed) {
        random = new SplittableRandom(seed);
    }

    public final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return nanos;
                }

                @Override
                public void turn() {
                    nanos += 1_000;
                    ports.forEach(FakePort::step);
                }

                @Override
                public void linger() {
                    lingers++;
                }
            };

    @Override
    public String kind() {
        return "fake";
    }

    @Override
    public List<String> locators() {
        return List.of();
    }

    @Override
    public PciDevice open(String locator) {
        throw new AssertionError("nothing to open");
    }

    @Override
    public DmaDomain dma() {
        return new DmaDomain() {
            @Override
            public int pageBytes() {
                return 4096;
            }

            @Override
            public DmaBuffer allocate(long sizeBytes) {
                return new HostBytes(sizeBytes);
            }

            @Override
            public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
                throw new AssertionError("nothing to map");
            }
        };
    }

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public Machine machine() {
        Bdf up = new Bdf(0, 1, 0, 0);
        List<PciFunction> all = new ArrayList<>();
        all.add(bridge(up, null, PciFunction.Kind.SWITCH_UPSTREAM));
        int port = 0;
        for (Bdf device : List.of(SOURCE, TARGET, THIRD)) {
            Bdf down = new Bdf(0, 2, port++, 0);
            all.add(bridge(down, up, PciFunction.Kind.SWITCH_DOWNSTREAM));
            all.add(
                    new PciFunction(
                            device,
                            down,
                            PciFunction.Kind.ENDPOINT,
                            0x1b36,
                            0x10,
                            PciFunction.CLASS_NVME,
                            null,
                            relaxedOrdering,
                            List.of(),
                            null));
        }
        return new Machine(all, root);
    }

    private static PciFunction bridge(
            Bdf bdf, @org.jspecify.annotations.Nullable Bdf parent, PciFunction.Kind kind) {
        return new PciFunction(
                bdf, parent, kind, 0x1b36, 0x10, 0x060400, null, false, List.of(), null);
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return Optional.empty();
    }

    @Override
    public void close() {}

    private final class HostBytes extends DmaBuffer {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment segment;
        private final long busAddress;

        HostBytes(long sizeBytes) {
            segment = arena.allocate(sizeBytes, 4096);
            busAddress = nextHostAddress;
            nextHostAddress += (sizeBytes + 4095) & -4096L;
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public long address() {
            return segment.address();
        }

        @Override
        public long busAddress() {
            return busAddress;
        }

        @Override
        public void close() {
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }
}
