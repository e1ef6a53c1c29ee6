package dev.peerlane.emulator.bus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.bus.Packet.Flow;
import dev.peerlane.emulator.bus.Packet.Passing;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.PciTree;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests which packets may pass which (PCIe 5.0, table 2-40), and that queues follow that. */
class PacketOrderTest {
    private static final List<EmulatedFunction> TREE =
            new PciTree(
                            FabricModel.builder()
                                    .drive(DriveModel.named("a").memory(1 << 20, 512).build())
                                    .drive(DriveModel.named("b").memory(1 << 20, 512).build())
                                    .build(),
                            Arena.global())
                    .functions();
    private static final EmulatedFunction ONE = TREE.getFirst();
    private static final EmulatedFunction OTHER = TREE.getLast();

    private final Events events = new Events();
    private final List<Integer> arrivals = new ArrayList<>();

    private static Packet packet(Flow flow, EmulatedFunction who, boolean relaxed, boolean ido) {
        int attributes = (relaxed ? Packet.RELAXED : 0) | (ido ? Packet.ID_ORDERED : 0);
        return new Packet(flow, who, attributes, 64, 0, () -> {});
    }

    @ParameterizedTest
    @CsvSource({
        "POSTED, POSTED, NO",
        "POSTED, NON_POSTED, MUST",
        "POSTED, COMPLETION, MAY",
        "NON_POSTED, POSTED, NO",
        "NON_POSTED, NON_POSTED, MAY",
        "NON_POSTED, COMPLETION, MAY",
        "COMPLETION, POSTED, NO",
        "COMPLETION, NON_POSTED, MUST",
        "COMPLETION, COMPLETION, MAY"
    })
    void theTableOfTheSpecification(Flow later, Flow earlier, Passing expected) {
        Packet first = packet(earlier, ONE, false, false);
        assertThat(packet(later, ONE, false, false).passes(first)).isEqualTo(expected);
        assertThat(packet(later, OTHER, false, false).passes(first)).isEqualTo(expected);
        // ID-based ordering lets packets of other requesters pass, never those of the same
        Passing unrelated = expected == Passing.NO ? Passing.MAY : expected;
        assertThat(packet(later, OTHER, false, true).passes(first)).isEqualTo(unrelated);
        assertThat(packet(later, ONE, false, true).passes(first)).isEqualTo(expected);
        // Relaxed Ordering does not let a memory read pass
        Passing relaxed = later == Flow.NON_POSTED ? expected : unrelated;
        assertThat(packet(later, ONE, true, false).passes(first)).isEqualTo(relaxed);
    }

    private Hop hop(int credits, long seed) {
        PacketModel.Link link = new PacketModel.Link(100, 1_000_000_000L, credits);
        return new Hop("hop", link, true, events, new SplittableRandom(seed));
    }

    private void send(int number, Flow flow, boolean relaxed, Hop... path) {
        int attributes = relaxed ? Packet.RELAXED : 0;
        new Packet(flow, ONE, attributes, 64, number, () -> arrivals.add(number))
                .sendAlong(List.of(path));
    }

    @Test
    void postedWritesOfOneRequesterNeverPassEachOther() {
        for (long seed = 0; seed < 200; seed++) {
            arrivals.clear();
            Hop hop = hop(2, seed);
            for (int i = 0; i < 20; i++) {
                send(i, Flow.POSTED, false, hop);
            }
            events.advance(events.now() + 1_000_000);
            assertThat(arrivals).as("seed %d", seed).isSorted().hasSize(20);
            assertThat(hop.passings()).isZero();
        }
    }

    @Test
    void relaxedWritesPassOthersInSomeSeed() {
        Set<List<Integer>> orders = new HashSet<>();
        for (long seed = 0; seed < 50; seed++) {
            arrivals.clear();
            Hop hop = hop(8, seed);
            for (int i = 0; i < 6; i++) {
                send(i, Flow.POSTED, true, hop);
            }
            events.advance(events.now() + 1_000_000);
            assertThat(arrivals).as("seed %d", seed).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
            orders.add(List.copyOf(arrivals));
        }
        assertThat(orders).hasSizeGreaterThan(5);
    }

    @Test
    void aReadNeverPassesAWriteThatCameBefore() {
        for (long seed = 0; seed < 200; seed++) {
            arrivals.clear();
            Hop hop = hop(4, seed);
            for (int i = 0; i < 8; i++) {
                send(i, i % 2 == 0 ? Flow.POSTED : Flow.NON_POSTED, false, hop);
            }
            events.advance(events.now() + 1_000_000);
            for (int read = 1; read < 8; read += 2) {
                int at = arrivals.indexOf(read);
                for (int write = 0; write < read; write += 2) {
                    assertThat(arrivals.subList(0, at)).as("seed %d", seed).contains(write);
                }
            }
        }
    }

    @Test
    void aQueueThatStandsStillStopsTheOneBehindItFlowByFlow() {
        Hop slow =
                new Hop(
                        "slow",
                        new PacketModel.Link(100, 1000, 1),
                        false,
                        events,
                        new SplittableRandom(1));
        Hop first = hop(1, 1);
        for (int i = 0; i < 4; i++) {
            send(i, Flow.NON_POSTED, false, first, slow);
        }
        send(4, Flow.POSTED, false, first);
        events.advance(10_000);
        assertThat(arrivals).as("the write passed the reads, which are stuck").containsExactly(4);
        events.advance(1_000_000_000L);
        assertThat(arrivals).hasSize(5);
    }

    @Test
    void timeIsThatOfBandwidthAndLatency() {
        Hop hop =
                new Hop(
                        "hop",
                        new PacketModel.Link(0, 88_000_000L, 9),
                        false,
                        events,
                        new SplittableRandom(1));
        send(0, Flow.POSTED, false, hop);
        send(1, Flow.POSTED, false, hop);
        events.advance(999);
        assertThat(arrivals).isEmpty();
        events.advance(1_000);
        assertThat(arrivals).containsExactly(0);
        events.advance(2_000);
        assertThat(arrivals).containsExactly(0, 1);
    }
}
