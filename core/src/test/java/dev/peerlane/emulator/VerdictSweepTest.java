package dev.peerlane.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.bus.Reads;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PacketModel.Forwarding;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex.Trust;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/**
 * Compares, in small fabrics, for each pair of drives and each direction, the verdict of {@link
 * Route} with what a packet really does. A packet that goes through the root complex takes {@link
 * #ROOT_NANOS}, others much less.
 */
class VerdictSweepTest {
    private static final int FABRICS = 1_500;
    private static final long ROOT_NANOS = 5_000_000;
    private static final long GIVEN_UP_NANOS = 100_000_000;
    private static final List<String> NAMES = List.of("a", "b", "c");
    private static final int RR = 4;
    private static final int CR = 8;
    private static final int UF = 16;
    private static final int EC = 32;
    private static final int[] CONTROLS = {
        0,
        1,
        RR,
        CR,
        RR | CR,
        RR | CR | UF,
        UF,
        EC,
        EC | RR,
        EC | RR | CR | UF,
        2,
        2 | RR | UF,
        64 | RR
    };

    /** The result of one request. */
    private record Reality(boolean arrived, boolean throughRoot) {}

    private final Map<String, Integer> seen = new TreeMap<>();
    private final List<PciDevice> devices = new ArrayList<>();
    private EmulatedFabric fabric;
    private SplittableRandom random;

    private PortModel port(String drive) {
        return acs(PortModel.drive(drive));
    }

    private PortModel acs(PortModel port) {
        int at = random.nextInt(CONTROLS.length + 6) - 6;
        if (at < 0) {
            return port;
        }
        PortModel with = port.withAcs(CONTROLS[at]);
        return switch (random.nextInt(4)) {
            case 0 -> with;
            case 1 -> with.withEgress(1);
            case 2 -> with.withEgress(2, 3);
            default -> with.withEgress(1, 2, 3);
        };
    }

    private FabricModel model(long seed) {
        FabricModel.Builder model = FabricModel.builder().seed(seed);
        for (String name : NAMES) {
            model.drive(DriveModel.named(name).memory(4096, 512).cmb(CmbModel.of(4096)).build());
        }
        switch (random.nextInt(5)) {
            case 0 -> model.port(acs(PortModel.switchOf(port("a"), port("b"), port("c"))));
            case 1 -> model.port(port("a")).port(port("b")).port(port("c"));
            case 2 -> {
                PortModel inner = acs(PortModel.switchOf(port("b"), port("c")));
                model.port(PortModel.switchOf(port("a"), inner));
            }
            case 3 -> model.port(PortModel.switchOf(port("a"), port("b"))).port(port("c"));
            default -> {
                PortModel left = acs(PortModel.switchOf(port("a"), port("b")));
                PortModel right = acs(PortModel.switchOf(port("c")));
                model.port(PortModel.switchOf(left, right));
            }
        }
        Trust[] trusts = Trust.values();
        Trust writes = trusts[random.nextInt(3)];
        Trust reads = trusts[random.nextInt(3)];
        // a root complex behaves as it is described; if nothing is known of it, it may do more
        Forwarding able = random.nextBoolean() ? Forwarding.FULL : Forwarding.SLOW;
        if (reads == Trust.REFUSED && random.nextBoolean()) {
            able = writes == Trust.REFUSED ? Forwarding.NONE : Forwarding.WRITES;
        }
        Set<String> ats = random.nextInt(3) == 0 ? Set.of("a") : Set.of();
        return model.rootComplex(writes, reads)
                .iommu(!ats.isEmpty() || random.nextBoolean())
                .packets(PacketModel.DEFAULTS.withForwarding(able, ROOT_NANOS).withAts(ats))
                .build();
    }

    @Test
    void packetsDoWhatTheVerdictSays() {
        for (long seed = 1; seed <= FABRICS; seed++) {
            random = new SplittableRandom(seed);
            devices.clear();
            fabric = new EmulatedFabric(model(seed));
            try (EmulatedFabric world = fabric) {
                for (String name : NAMES) {
                    PciDevice device = world.open("emu:" + name);
                    device.busMaster(true);
                    world.dma().mapPeer(device, device.bar(2), 0, 4096);
                    devices.add(device);
                }
                for (PciDevice from : devices) {
                    for (PciDevice to : devices) {
                        if (from != to) {
                            check(seed, from.bdf(), to, Direction.WRITE);
                            check(seed, from.bdf(), to, Direction.READ);
                        }
                    }
                }
            }
        }
        assertThat(seen.keySet())
                .as("met: %s", seen)
                .contains(
                        "DIRECT arrived",
                        "ROOT_TRUSTED arrived",
                        "ROOT_UNTRUSTED arrived",
                        "REDIRECTED arrived",
                        "REFUSED lost",
                        "stopped by EC",
                        "stopped by TB",
                        "stopped by UF",
                        "direct although redirected");
    }

    private void check(long seed, Bdf from, PciDevice to, Direction direction) {
        Route route = Route.between(fabric.machine(), from, to.bdf());
        Verdict verdict = route.verdict(direction);
        Reality reality = direction == Direction.WRITE ? write(from, to) : read(from, to);
        String what =
                "seed %d: %s of %s at %s: %s (%s), %s"
                        .formatted(
                                seed,
                                direction.word(),
                                from,
                                to.bdf(),
                                verdict,
                                route.reason(),
                                reality);
        count(verdict + (reality.arrived() ? " arrived" : " lost"));
        if (verdict == Verdict.REFUSED) {
            // Linux's rule treats what only the other port redirects as redirected, and does not
            // rely on translated requests; so some packets go straight although the verdict says
            // otherwise
            boolean stricter = route.crossesRoot() && !reality.throughRoot();
            assertThat(!reality.arrived() || stricter).as(what).isTrue();
        } else {
            assertThat(reality.arrived()).as(what).isTrue();
        }
        if (route.stops(direction)) {
            assertThat(!reality.arrived() || goesStraightTranslated(from, to)).as(what).isTrue();
            String by = route.reason();
            count("stopped by " + by.replaceAll(".*\\b(EC|TB|UF)\\).*|.*\\((TB)\\).*", "$1$2"));
        }
        if (!route.crossesRoot()) {
            assertThat(reality.throughRoot()).as(what).isFalse();
        } else if (reality.arrived() && !reality.throughRoot()) {
            count("direct although redirected");
        }
    }

    /**
     * Returns whether a request goes straight because it is translated. With ATS on, a port with DT
     * and without TB sends it straight.
     */
    private boolean goesStraightTranslated(Bdf from, PciDevice to) {
        List<PciFunction> up = fabric.machine().bridgesAbove(from);
        List<PciFunction> down = fabric.machine().bridgesAbove(to.bdf());
        PciFunction initiator = fabric.machine().function(from).orElseThrow();
        List<PciFunction> below = up.stream().filter(f -> !down.contains(f)).toList();
        if (below.size() == up.size() || !Boolean.TRUE.equals(initiator.details().ats())) {
            return false;
        }
        Acs acs = below.getLast().acs();
        return acs != null
                && acs.directTranslated()
                && below.stream().noneMatch(f -> f.acs() != null && f.acs().translationBlocking());
    }

    private void count(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    private EmulatedFunction function(Bdf bdf) {
        return fabric.functions().stream().filter(f -> f.bdf().equals(bdf)).findFirst().get();
    }

    private Reality write(Bdf from, PciDevice to) {
        long word = random.nextLong();
        MemorySegment data = MemorySegment.ofArray(new long[] {word});
        EmulatedFunction.BarSpace bar = function(to.bdf()).bars().get(1);
        MemorySegment memory = bar.memory();
        memory.set(ValueLayout.JAVA_LONG, 0, ~word);
        long start = fabric.clock().nanoTime();
        fabric.packets().write(function(from), to.bar(2).pciAddress(), data, 0, 8, DmaKind.IO_DATA);
        boolean arrived = await(() -> memory.get(ValueLayout.JAVA_LONG, 0) == word);
        return new Reality(arrived, fabric.clock().nanoTime() - start >= ROOT_NANOS);
    }

    private Reality read(Bdf from, PciDevice to) {
        long word = random.nextLong();
        function(to.bdf()).bars().get(1).memory().set(ValueLayout.JAVA_LONG, 0, word);
        MemorySegment data = MemorySegment.ofArray(new long[1]);
        Reads reads = new Reads();
        long start = fabric.clock().nanoTime();
        fabric.packets()
                .read(function(from), to.bar(2).pciAddress(), data, 0, 8, DmaKind.IO_DATA, reads);
        assertThat(await(reads::isQuiet)).as("a read is always answered").isTrue();
        boolean arrived = !reads.failed();
        assertThat(data.get(ValueLayout.JAVA_LONG, 0) == word).isEqualTo(arrived);
        return new Reality(arrived, fabric.clock().nanoTime() - start >= ROOT_NANOS);
    }

    /** Lets packets move until a condition holds, or no packet is in flight. */
    private boolean await(BooleanSupplier done) {
        return fabric.clock()
                        .await(
                                () ->
                                        done.getAsBoolean()
                                                || fabric.packets().nextNanos() == Long.MAX_VALUE,
                                GIVEN_UP_NANOS)
                && done.getAsBoolean();
    }
}
