package dev.peerlane.system;

import static dev.peerlane.system.EmulatedPair.MIB;
import static dev.peerlane.system.EmulatedPair.drive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerFault;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.nvme.NvmeStatusException;
import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver and the emulator, each the other's oracle. */
class DriverOnEmulatorTest {
    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65_536})
    void blocksOfAnySizeComeBackAsTheyWereWritten(int blockBytes) {
        long seed = 77L + blockBytes;
        SplittableRandom random = new SplittableRandom(seed);
        try (EmulatedPair p =
                        EmulatedPair.of(
                                drive("a").memory(64 * MIB, blockBytes),
                                drive("b").memory(MIB, 512));
                DmaBuffer from = p.host(2 * MIB + 8192);
                DmaBuffer to = p.host(2 * MIB + 8192)) {
            Namespace ns = p.a.namespace(1);
            assertThat(ns.blockBytes()).isEqualTo(blockBytes);
            assertThat(ns.sizeBytes()).isEqualTo(64 * MIB);
            for (int i = 0; i < 30; i++) {
                long blocks = 1 + random.nextLong(2 * MIB / blockBytes);
                long lba = random.nextLong(ns.blockCount() - blocks + 1);
                long offset = random.nextInt(2048) * 4L;
                long back = random.nextInt(2048) * 4L;
                EmulatedPair.scramble(from.segment(), random.nextLong());
                ns.write(from, offset, lba, blocks);
                ns.compare(from, offset, lba, blocks);
                ns.read(to, back, lba, blocks);
                long bytes = blocks * blockBytes;
                assertThat(
                                MemorySegment.mismatch(
                                        from.segment(),
                                        offset,
                                        offset + bytes,
                                        to.segment(),
                                        back,
                                        back + bytes))
                        .as("seed %d round %d", seed, i)
                        .isEqualTo(-1);
            }
            ns.flush();
        }
    }

    @Test
    void commandsWithoutDataDoWhatTheySay() {
        try (EmulatedPair p =
                        EmulatedPair.of(
                                drive("a").memory(16 * MIB, 512), drive("b").memory(MIB, 512));
                DmaBuffer b = p.host(MIB)) {
            Namespace ns = p.a.namespace(1);
            p.scramble(ns, 0, MIB, 5);
            ns.verify(0, 2048);
            ns.writeZeroes(100, 1500);
            assertThat(p.content(ns, 100, 1500 * 512)).containsOnly(0);
            assertThat(p.content(ns, 0, 512)).isNotEqualTo(new byte[512]);
            ns.deallocate(0, 2048);
            ns.compare(b, 0, 0, 2048);
            b.segment().set(java.lang.foreign.ValueLayout.JAVA_BYTE, 300 * 512, (byte) 1);
            assertThatThrownBy(() -> ns.compare(b, 0, 0, 2048))
                    .isInstanceOfSatisfying(
                            NvmeStatusException.class,
                            e ->
                                    assertThat(Status.code(e.status()))
                                            .isEqualTo(Status.COMPARE_FAILURE))
                    .hasMessageContaining("Compare of 256 blocks at 256");
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 1024", "1, 2, 64", "3, 5, 9", "10, 0, 2"})
    void anyStrideMdtsAndQueueLengthServes(int stride, int mdts, int entries) {
        long seed = stride * 31L + entries;
        SplittableRandom random = new SplittableRandom(seed);
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a")
                                .memory(64 * MIB, 512)
                                .doorbellStride(stride)
                                .mdts(mdts)
                                .maxQueueEntries(entries)
                                .latencyNanos(3_000)
                                .cmb(CmbModel.of(4 * MIB)),
                        drive("b").memory(MIB, 512))) {
            assertThat(p.a.maxTransferBytes()).isEqualTo(mdts == 0 ? MIB : 4096 << mdts);
            p.a.requireCmb().enable(p.fabric.dma());
            Namespace ns = p.a.namespace(1);
            try (NvmeBlockPort port = ns.port(32);
                    PeerBuffer slots = p.a.requireCmb().allocate(32 * 16384, 4096)) {
                int longest = Integer.highestOneBit(entries); // rings are powers of two
                assertThat(port.limits().depth()).isEqualTo(Math.min(32, longest - 1));
                int count = port.limits().depth();
                port.attach(slots, 0, 16384, 16384, count);
                for (int round = 0; round < 40; round++) {
                    BitSet out = new BitSet();
                    int n = 1 + random.nextInt(count);
                    for (int slot = 0; slot < n; slot++) {
                        assertThat(port.submitRead(slot, random.nextInt(100_000), 32)).isTrue();
                        out.set(slot);
                    }
                    EmulatedPair.Taken taken = p.drain(port);
                    assertThat(taken.statuses).as("seed %d", seed).containsOnly(0);
                    taken.slots.forEach(out::clear);
                    assertThat(out.isEmpty()).isTrue();
                }
            }
        }
    }

    @Test
    void unusableNamespacesAreRefusedAndProtectedOnesAreReadOnly() {
        NamespaceModel plain = NamespaceModel.memory(MIB, 512);
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a")
                                .namespace(plain.withMetadata(8, 0))
                                .namespace(plain.withMetadata(8, 1))
                                .namespace(plain.withCommandSet(CommandSet.ZONED))
                                .namespace(plain.withCommandSet(CommandSet.KEY_VALUE))
                                .namespace(plain.withWriteProtected(true))
                                .namespace(plain),
                        drive("b").memory(MIB, 512))) {
            String[] texts = {"metadata", "", "Zoned", "Key Value"};
            for (int nsid = 1; nsid <= 4; nsid++) {
                Namespace ns = p.a.namespace(nsid);
                assertThatThrownBy(() -> ns.port(1))
                        .isInstanceOfSatisfying(
                                PeerlaneException.class,
                                e ->
                                        assertThat(e.category())
                                                .isEqualTo(PeerlaneException.Category.MACHINE))
                        .hasMessageContaining(texts[nsid - 1]);
            }
            assertThat(p.a.namespace(5).port(1).limits().readOnly()).contains("write protected");
            assertThat(p.a.namespace(6).port(1).limits().readOnly()).isNull();
            assertThat(p.a.activeNamespaces()).contains(5, 6);
            assertThatThrownBy(() -> p.a.namespace(7))
                    .isInstanceOfSatisfying(
                            PeerlaneException.class,
                            e -> assertThat(e.code()).isEqualTo("no-such-namespace"));
        }
    }

    @Test
    void relaxedOrderingIsOffWhereverItWasOn() {
        try (EmulatedPair p =
                new EmulatedPair(
                        FabricModel.builder()
                                .relaxedOrdering(true)
                                .drive(drive("a").memory(MIB, 512).build())
                                .drive(drive("b").memory(MIB, 512).build()))) {
            assertThat(p.a.relaxedOrderingOff()).isTrue();
            assertThat(p.b.relaxedOrderingOff()).isTrue();
            p.a.reset();
            assertThat(p.a.relaxedOrderingOff()).isTrue();
        }
    }

    @Test
    void quiescedPortLeavesItsSlotsAlone() {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512).latencyNanos(50_000_000),
                        drive("b").memory(MIB, 512).cmb(CmbModel.of(MIB)))) {
            p.scramble(p.a.namespace(1), 0, 65536, 9);
            p.b.requireCmb().enable(p.fabric.dma());
            try (PeerBuffer slots = p.b.requireCmb().allocate(65536, 4096)) {
                NvmeBlockPort port = p.a.namespace(1).port(8);
                port.attach(slots, 0, 8192, 8192, 8);
                for (int slot = 0; slot < 8; slot++) {
                    port.submitRead(slot, slot * 16L, 16);
                }
                port.ring();
                for (int i = 0; i < 5; i++) {
                    p.fabric.clock().turn();
                }
                assertThat(port.abort(0)).isNotBlank();
                port.quiesce();
                slots.fill(0, 65536, 0x77777777);
                for (int i = 0; i < 200; i++) {
                    p.fabric.clock().turn();
                }
                for (long at = 0; at < 65536; at += 8) {
                    assertThat(slots.load64(at)).isEqualTo(0x7777777777777777L);
                }
                port.close();
            }
        }
    }

    @Test
    void aResetThatSomebodyElseMadeIsAFaultAndNotATimeout() {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512).latencyNanos(10_000_000).cmb(CmbModel.of(MIB)),
                        drive("b").memory(MIB, 512))) {
            p.a.requireCmb().enable(p.fabric.dma());
            PeerBuffer slots = p.a.requireCmb().allocate(8192, 4096);
            NvmeBlockPort port = p.a.namespace(1).port(8);
            port.attach(slots, 0, 8192, 8192, 1);
            port.submitRead(0, 0, 16);
            port.ring();
            p.a.device().reset();
            Completions none =
                    new Completions() {
                        @Override
                        public void completed(int slot, int status) {
                            throw new AssertionError("slot " + slot);
                        }
                    };
            assertThatThrownBy(() ->
                            p.fabric.clock().await(() -> port.poll(1, none) > 0, 5_000_000_000L))
                    .isInstanceOf(ControllerFault.class)
                    .hasMessageContaining("emu:a")
                    .hasMessageContaining("somebody else reset")
                    .extracting(e -> ((ControllerFault) e).code())
                    .isEqualTo("controller-reset");
            p.a.reset();
            slots.close();
        }
    }

    @Test
    void resetWithCommandsInFlightStopsThemAndComesBack() {
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512).latencyNanos(10_000_000).cmb(CmbModel.of(MIB)),
                        drive("b").memory(MIB, 512))) {
            p.a.requireCmb().enable(p.fabric.dma());
            PeerBuffer slots = p.a.requireCmb().allocate(65536, 4096);
            for (int round = 0; round < 5; round++) {
                NvmeBlockPort port = p.a.namespace(1).port(8);
                port.attach(slots, 0, 8192, 8192, 8);
                for (int slot = 0; slot < 8; slot++) {
                    port.submitRead(slot, slot * 16L, 16);
                }
                port.ring();
                p.a.reset();
                assertThat(port.inFlight()).isZero();
                port.close();
                assertThat(slots.busAddress()).isEqualTo(p.a.requireCmb().busAddress());
            }
            try (NvmeBlockPort port = p.a.namespace(1).port(8)) {
                port.attach(slots, 0, 8192, 8192, 1);
                port.submitRead(0, 0, 16);
                assertThat(p.drain(port).statuses).containsExactly(0);
            }
            slots.close();
        }
    }

    @Test
    void controllerClosedAfterItsFabricTouchesNoMemory() {
        EmulatedFabric fabric =
                new EmulatedFabric(
                        FabricModel.builder()
                                .time(FabricModel.Time.VIRTUAL)
                                .drive(drive("a").memory(MIB, 512).cmb(CmbModel.of(MIB)).build())
                                .build());
        Controller c = Controller.open(fabric, "emu:a", ControllerOptions.DEFAULTS);
        c.requireCmb().enable(fabric.dma());
        NvmeBlockPort port = c.namespace(1).port(4);
        fabric.close();
        assertThatThrownBy(() -> c.namespace(1)).isInstanceOf(RuntimeException.class);
        c.close();
        port.close();
        assertThat(c.closeProblem()).isPresent();
    }

    @Test
    void eventsAreHeldAndLogsAreRead() {
        try (EmulatedPair p =
                EmulatedPair.of(drive("a").memory(MIB, 512), drive("b").memory(MIB, 512))) {
            assertThat(p.a.admin().eventsHeld()).isEqualTo(1);
            assertThat(p.a.admin().pollEvents()).isEmpty();
            assertThat(p.a.admin().smart().criticalWarning()).isZero();
            assertThat(p.a.admin().errors(4)).isEmpty();
            assertThat(p.a.identity().sn()).isEqualTo("EMU-a");
            assertThat(p.a.namespace(1).uniqueId()).isPresent();
        }
    }

    @Test
    void anEventThatWasTakenLetsTheNextOfItsKindCome() {
        DriveModel drive = drive("a").memory(MIB, 512).build();
        try (EmulatedFabric fabric =
                        new EmulatedFabric(
                                FabricModel.builder()
                                        .time(FabricModel.Time.VIRTUAL)
                                        .drive(drive)
                                        .build());
                Controller c = Controller.open(fabric, "emu:a", ControllerOptions.DEFAULTS)) {
            for (int i = 0; i < 3; i++) {
                // a doorbell of no queue is an error event
                c.device().bar(0).store32(Reg.sqTailDoorbell(9, 0), 1);
                List<AsyncEvent> taken = new ArrayList<>();
                boolean came =
                        fabric.clock()
                                .await(
                                        () -> {
                                            taken.addAll(c.admin().pollEvents());
                                            return !taken.isEmpty();
                                        },
                                        1_000_000_000L);
                assertThat(came).as("event %d", i).isTrue();
                assertThat(taken)
                        .containsExactly(
                                AsyncEvent.of(
                                        AsyncEvent.TYPE_ERROR,
                                        AsyncEvent.ERROR_INVALID_DOORBELL,
                                        LogPage.ERROR));
                assertThat(c.admin().eventsHeld()).isEqualTo(1);
            }
        }
    }
}
