package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.ReadFence;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PacketModel.Forwarding;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.pci.RootComplex.Trust;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests the fence in a program that uses the driver alone, on a fabric where completions overtake
 * data: a Read into the target's CMB, its completion, then a Write by the target from there.
 */
class ReadFenceTest {
    private static final int SEEDS = 60;
    private static final int ENOUGH = 10;
    private static final int BLOCK = 512;
    private static final int BLOCKS = 32;
    private static final int BYTES = BLOCKS * BLOCK;

    private static FabricModel.Builder overtaking(long seed) {
        PacketModel packets = PacketModel.DEFAULTS.withForwarding(Forwarding.SLOW, 15_000);
        return FabricModel.builder()
                .seed(seed)
                .packets(packets)
                .rootComplex(Trust.TRUSTED, Trust.TRUSTED)
                .port(PortModel.drive("a"))
                .port(PortModel.drive("b"));
    }

    private static DriveModel drive(String name) {
        return DriveModel.named(name)
                .namespace(NamespaceModel.memory(1 << 20, BLOCK))
                .cmb(CmbModel.of(64 << 10))
                .latencyNanos(3_000)
                .build();
    }

    private static Session session(FabricModel.Builder fabric) {
        return Session.of(new EmulatedFabric(fabric.drive(drive("a")).drive(drive("b")).build()));
    }

    private static Namespace namespace(Session session, String name) {
        return session.namespace(Extent.parse("emu:" + name));
    }

    private static long word(int chunk, long at) {
        return 0x5EED_0000_0000_0000L + chunk * 1_000_000L + at;
    }

    /** Copies a few chunks; returns how many of them reached the target with old bytes. */
    private static int stale(Session session, boolean fenced, boolean byPort) {
        Namespace a = namespace(session, "a");
        Namespace b = namespace(session, "b");
        int stale = 0;
        try (DmaBuffer data = session.fabric().dma().allocate(BYTES);
                ReadFence fence = session.readFence(a, "emu:b");
                PeerBuffer buffer =
                        session.controller("emu:b").requireCmb().allocate(BYTES, 4096)) {
            for (int chunk = 0; chunk < 4; chunk++) {
                for (long at = 0; at < BYTES; at += Long.BYTES) {
                    data.segment().set(ValueLayout.JAVA_LONG, at, word(chunk, at));
                }
                long lba = (long) chunk * BLOCKS;
                a.write(data, 0, lba, BLOCKS);
                a.read(buffer, 0, lba, BLOCKS);
                if (fenced && byPort) {
                    fence.arm(lba);
                    while (!fence.hasArrived()) {
                        session.fabric().clock().turn();
                    }
                } else if (fenced) {
                    fence.await(lba);
                }
                b.write(buffer, 0, lba, BLOCKS);
                b.read(data, 0, lba, BLOCKS);
                boolean right = true;
                for (long at = 0; at < BYTES; at += Long.BYTES) {
                    right &= data.segment().get(ValueLayout.JAVA_LONG, at) == word(chunk, at);
                }
                stale += right ? 0 : 1;
            }
        }
        return stale;
    }

    @Test
    void aProgramWithoutAFenceStoresOldBytesWithSuccess() {
        int stale = 0;
        for (long seed = 1; seed <= ENOUGH; seed++) {
            try (Session session = session(overtaking(seed))) {
                stale += stale(session, false, false);
            }
        }
        assertThat(stale).isPositive();
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void withTheFenceItNeverDoes(boolean byPort) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            try (Session session = session(overtaking(seed))) {
                assertThat(stale(session, true, byPort)).as("seed %d", seed).isZero();
            }
        }
    }

    @Test
    void closingReleasesTheBlockAndTheQueue() {
        try (Session session = session(overtaking(1))) {
            Namespace a = namespace(session, "a");
            EmulatedFabric fabric = (EmulatedFabric) session.fabric();
            var cmb = session.controller("emu:b").requireCmb();
            cmb.enable(fabric.dma());
            long free = cmb.largestFreeBytes();
            int queues = fabric.controller("a").ioQueues();
            ReadFence fence = session.readFence(a, "emu:b");
            assertThat(fence.isNeeded()).isTrue();
            assertThat(cmb.largestFreeBytes()).isLessThan(free);
            fence.close();
            fence.close();
            assertThat(cmb.largestFreeBytes()).isEqualTo(free);
            assertThat(fabric.controller("a").ioQueues()).isEqualTo(queues);
            assertThatThrownBy(() -> fence.arm(0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the fence of emu:a/n1 is closed");
        }
    }

    @Test
    void anArmedFenceCannotBeArmedAgain() {
        try (Session session = session(overtaking(1));
                ReadFence fence = session.readFence(namespace(session, "a"), "emu:b")) {
            fence.arm(0);
            assertThatThrownBy(() -> fence.arm(0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the fence of emu:a/n1 is armed already");
            assertThat(session.fabric().clock().await(fence::hasArrived, 1_000_000_000L)).isTrue();
            fence.arm(8);
        }
    }

    @Test
    void readsIntoTheReadersOwnMemoryNeedNoFence() {
        try (Session session = session(overtaking(1));
                ReadFence fence = session.readFence(namespace(session, "a"), "emu:a")) {
            assertThat(fence.isNeeded()).isFalse();
            fence.await(0);
            assertThat(fence.hasArrived()).isTrue();
        }
    }

    @Test
    void aRouteWithoutASoundFenceIsRefusedAndNothingStaysOpen() {
        PacketModel.SecondWay second =
                new PacketModel.SecondWay(
                        "a", "b", PacketModel.Takes.PAGES, PacketModel.DEFAULTS.link());
        FabricModel.Builder split =
                FabricModel.builder().packets(PacketModel.DEFAULTS.withSecondWays(List.of(second)));
        try (Session session = session(split)) {
            Namespace a = namespace(session, "a");
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class, () -> session.readFence(a, "emu:b"));
            assertThat(e.code()).isEqualTo("second-way");
            assertThat(e.explain())
                    .isEqualTo(
                            "Reads of emu:a/n1 into the memory of emu:b can't be fenced: writes of"
                                    + " emu:a into it take several routes, so no fence is sound."
                                    + " Use memory of the reader itself, or host memory.");
            EmulatedFabric fabric = (EmulatedFabric) session.fabric();
            assertThat(fabric.controller("a").ioQueues()).isZero();
        }
    }

    @Test
    void dataThatNeverArrivesIsReportedAfterABoundedTime() {
        FabricModel.Builder lossy =
                FabricModel.builder().fault(Fault.at(Fault.Kind.DROPPED_WRITE, "a"));
        try (Session session = session(lossy)) {
            Namespace a = namespace(session, "a");
            try (ReadFence fence = session.readFence(a, "emu:b")) {
                PeerlaneException e =
                        catchThrowableOfType(PeerlaneException.class, () -> fence.await(0));
                assertThat(e.code()).isEqualTo("peer-writes-lost");
            }
        }
    }
}
