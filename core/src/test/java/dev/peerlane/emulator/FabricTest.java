package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.enableCmb;
import static dev.peerlane.emulator.TestFabrics.two;
import static dev.peerlane.emulator.TestFabrics.virtual;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.PciFunction.Kind;
import dev.peerlane.pci.RootComplex.Trust;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the PCI tree, the address space, peer traffic, and ownership. */
class FabricTest {
    /** Returns a root port with a, a switch with b, and below that a switch with c and d. */
    private static FabricModel tree() {
        return virtual()
                .drive(drive("a").build())
                .drive(drive("b").build())
                .drive(drive("c").build())
                .drive(drive("d").build())
                .port(PortModel.drive("a"))
                .port(
                        PortModel.switchOf(
                                PortModel.drive("b").withAcs(PortModel.ACS_REDIRECT),
                                PortModel.switchOf(PortModel.drive("c"), PortModel.drive("d"))))
                .rootComplex(Trust.TRUSTED, Trust.REFUSED)
                .build();
    }

    @Test
    void busesAreNumberedDepthFirst() {
        try (EmulatedFabric fabric = new EmulatedFabric(tree())) {
            Machine machine = fabric.machine();
            Map<String, Kind> kinds = new HashMap<>();
            machine.functions().forEach(f -> kinds.put(f.bdf().toString(), f.kind()));
            assertThat(kinds)
                    .containsEntry("0000:00:01.0", Kind.ROOT_PORT)
                    .containsEntry("0000:01:00.0", Kind.ENDPOINT)
                    .containsEntry("0000:00:02.0", Kind.ROOT_PORT)
                    .containsEntry("0000:02:00.0", Kind.SWITCH_UPSTREAM)
                    .containsEntry("0000:03:00.0", Kind.SWITCH_DOWNSTREAM)
                    .containsEntry("0000:04:00.0", Kind.ENDPOINT)
                    .containsEntry("0000:03:01.0", Kind.SWITCH_DOWNSTREAM)
                    .containsEntry("0000:05:00.0", Kind.SWITCH_UPSTREAM)
                    .hasSize(12);
            assertThat(fabric.locators()).containsExactly("emu:a", "emu:b", "emu:c", "emu:d");
            assertThat(machine.nvmeFunctions())
                    .extracting(PciFunction::name)
                    .containsExactly("emu:a", "emu:b", "emu:c", "emu:d");
        }
    }

    @Test
    void bridgesHoldTheBusesAndWindowsOfWhatIsBelow() {
        try (EmulatedFabric fabric = new EmulatedFabric(tree())) {
            Machine machine = fabric.machine();
            for (PciFunction function : machine.functions()) {
                for (PciFunction bridge : machine.bridgesAbove(function.bdf())) {
                    ConfigSpace config = fabric.config(bridge.bdf());
                    assertThat(config.load8(ConfigSpace.HEADER_TYPE)).isEqualTo(1);
                    assertThat(function.bdf().bus())
                            .isBetween(config.load8(0x19), config.load8(0x1a));
                    long low = (config.load16(0x20) & 0xfff0L) << 16;
                    long lowEnd = ((config.load16(0x22) & 0xfff0L) << 16) | 0xfffff;
                    long high =
                            (Integer.toUnsignedLong(config.load32(0x28)) << 32)
                                    | ((config.load16(0x24) & 0xfff0L) << 16);
                    long highEnd =
                            (Integer.toUnsignedLong(config.load32(0x2c)) << 32)
                                    | ((config.load16(0x26) & 0xfff0L) << 16)
                                    | 0xfffff;
                    for (PciFunction.BarWindow bar : function.bars()) {
                        boolean inLow = bar.index() != 2; // the CMB is in BAR 2
                        assertThat(bar.address())
                                .isBetween(inLow ? low : high, inLow ? lowEnd : highEnd);
                    }
                }
            }
        }
    }

    @Test
    void endpointsHaveTheRightHeader() {
        try (EmulatedFabric fabric = new EmulatedFabric(tree())) {
            ConfigSpace config = fabric.config(Bdf.parse("01:00.0"));
            assertThat(config.classCode()).isEqualTo(PciFunction.CLASS_NVME);
            assertThat(config.load8(ConfigSpace.HEADER_TYPE)).isZero();
            assertThat(config.load32(0x10) & 0xf).isEqualTo(4);
            assertThat(config.load32(0x18) & 0xf).isEqualTo(0xc);
            assertThat(PciFunction.relaxedOrderingOf(config)).isFalse();
            int express = config.capability(ConfigSpace.CAP_PCI_EXPRESS).orElseThrow();
            assertThat(config.load32(express + 4) >>> 28 & 1).as("FLR").isEqualTo(1);
            config.store16(express + 8, config.load16(express + 8) | 0x10);
            assertThat(PciFunction.relaxedOrderingOf(config)).isTrue();
            assertThat(config.load16(ConfigSpace.VENDOR_ID)).isEqualTo(0x5045);
            config.store32(0, 0);
            assertThat(config.load16(ConfigSpace.VENDOR_ID)).isEqualTo(0x5045);
            assertThat(config.load16(express + 0xa)).isZero();
        }
    }

    @Test
    void barsAnswerSizing() {
        try (EmulatedFabric fabric = two()) {
            PciDevice device = fabric.open("emu:a");
            ConfigSpace config = device.config();
            int low = config.load32(0x18);
            int high = config.load32(0x1c);
            config.store32(0x18, -1);
            config.store32(0x1c, -1);
            long mask =
                    ((long) config.load32(0x1c) << 32)
                            | (Integer.toUnsignedLong(config.load32(0x18)) & ~0xfL);
            assertThat(-mask).isEqualTo(MIB);
            config.store32(0x18, low);
            config.store32(0x1c, high);
            device.bar(2).store64(0, 3);
            assertThat(device.bar(2).load64(0)).isEqualTo(3);
        }
    }

    @Test
    void acsShowsWhereItIsAndRoutesFollowIt() {
        try (EmulatedFabric fabric = new EmulatedFabric(tree())) {
            Machine machine = fabric.machine();
            PciFunction port = machine.function(Bdf.parse("03:00.0")).orElseThrow();
            Acs acs = port.acs();
            assertThat(acs).isNotNull().extracting(Acs::redirects).isEqualTo(true);
            assertThat(machine.function(Bdf.parse("03:01.0")).orElseThrow().acs()).isNull();
            Bdf b = bdf(machine, "emu:b");
            Bdf c = bdf(machine, "emu:c");
            Bdf d = bdf(machine, "emu:d");
            assertThat(Route.between(machine, c, d).peerReads()).isEqualTo(Verdict.DIRECT);
            assertThat(Route.between(machine, b, c).peerWrites()).isEqualTo(Verdict.ROOT_TRUSTED);
            assertThat(Route.between(machine, b, c).peerReads()).isEqualTo(Verdict.REFUSED);
            fabric.config(Bdf.parse("03:00.0")).store16(0x106, 0);
            assertThat(Route.between(fabric.machine(), b, c).peerReads()).isEqualTo(Verdict.DIRECT);
        }
    }

    private static Bdf bdf(Machine machine, String name) {
        return machine.functions().stream()
                .filter(f -> name.equals(f.name()))
                .findFirst()
                .orElseThrow()
                .bdf();
    }

    @Test
    void refusedRoutesCarryNothing() {
        try (EmulatedFabric fabric = new EmulatedFabric(tree());
                MiniDriver b = MiniDriver.up(fabric, "b");
                MiniDriver c = MiniDriver.up(fabric, "c")) {
            Queue queue = b.ioQueue(1, 8);
            Bar cmb = c.device.bar(2);
            try (PeerMapping window = fabric.dma().mapPeer(c.device, cmb, 0, MIB)) {
                long at = window.busAddress();
                cmb.fill(0, 4096, 0x11111111);
                assertThat(queue.io(NvmOpcode.READ, 0, 1, at, 0).status()).isZero();
                assertThat(cmb.load64(0)).as("writes are trusted").isZero();
                assertThat(queue.io(NvmOpcode.WRITE, 0, 1, at, 0).code())
                        .isEqualTo(Status.DATA_TRANSFER_ERROR);
                fabric.config(Bdf.parse("03:00.0")).store16(0x106, 0);
                assertThat(queue.io(NvmOpcode.WRITE, 0, 1, at, 0).status())
                        .as("ACS redirect is off now")
                        .isZero();
            }
        }
    }

    @Test
    void peersReachOnlyWhatIsMapped() {
        try (EmulatedFabric fabric = two();
                MiniDriver a = MiniDriver.up(fabric, "a");
                MiniDriver b = MiniDriver.up(fabric, "b")) {
            Queue queue = a.ioQueue(1, 8);
            Bar cmb = b.device.bar(2);
            long at = cmb.pciAddress();
            assertThat(queue.io(NvmOpcode.READ, 0, 1, at, 0).code())
                    .isEqualTo(Status.DATA_TRANSFER_ERROR);
            PeerMapping window = fabric.dma().mapPeer(b.device, cmb, 8192, 4096);
            assertThat(window.busAddress()).isEqualTo(at + 8192);
            assertThat(queue.io(NvmOpcode.READ, 0, 8, at + 8192, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.READ, 0, 1, at + 8192 + 4096, 0).code())
                    .isEqualTo(Status.DATA_TRANSFER_ERROR);
            assertThatThrownBy(() -> fabric.dma().mapPeer(b.device, cmb, 4096, 8192))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("mapped already");
            window.close();
            window.close();
            assertThat(queue.io(NvmOpcode.READ, 0, 1, at + 8192, 0).code())
                    .isEqualTo(Status.DATA_TRANSFER_ERROR);
        }
    }

    @Test
    void registersAndForeignBarsCantBeMapped() {
        try (EmulatedFabric fabric = two();
                EmulatedFabric other = two()) {
            PciDevice a = fabric.open("emu:a");
            PciDevice foreign = other.open("emu:a");
            assertThatThrownBy(() -> fabric.dma().mapPeer(a, a.bar(0), 0, 4096))
                    .isInstanceOf(PeerlaneException.class);
            assertThatThrownBy(() -> fabric.dma().mapPeer(a, foreign.bar(2), 0, 4096))
                    .isInstanceOf(PeerlaneException.class);
            assertThatThrownBy(() -> fabric.dma().mapPeer(a, a.bar(2), 0, 2 * MIB))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> fabric.dma().mapPeer(a, a.bar(2), 16, 4096))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void withoutIommuPeersReachEveryBar() {
        FabricModel model =
                virtual().drive(drive("a").build()).drive(drive("b").build()).iommu(false).build();
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                MiniDriver a = MiniDriver.up(fabric, "a");
                MiniDriver b = MiniDriver.up(fabric, "b")) {
            Queue queue = a.ioQueue(1, 8);
            Bar cmb = b.device.bar(2);
            cmb.fill(0, 512, -1);
            assertThat(queue.io(NvmOpcode.READ, 0, 1, cmb.pciAddress(), 0).status()).isZero();
            assertThat(cmb.load64(0)).isZero();
            assertThat(fabric.traffic().orElseThrow().of(a.device.bdf()).peerWritten())
                    .isEqualTo(512);
            ConfigSpace config = b.device.config();
            config.store16(ConfigSpace.COMMAND, ConfigSpace.COMMAND_BUS_MASTER);
            assertThat(queue.io(NvmOpcode.READ, 0, 1, cmb.pciAddress(), 0).code())
                    .as("memory decoding of the peer is off")
                    .isEqualTo(Status.DATA_TRANSFER_ERROR);
            config.store16(ConfigSpace.COMMAND, 6);
        }
    }

    @Test
    void silentPlatformsDropAndReadOnes() {
        FabricModel model =
                virtual()
                        .drive(drive("a").build())
                        .unmapped(FabricModel.Unmapped.DROPS_SILENTLY)
                        .build();
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                MiniDriver a = MiniDriver.up(fabric, "a")) {
            Queue queue = a.ioQueue(1, 8);
            DmaBuffer data = a.allocate(4096);
            assertThat(queue.io(NvmOpcode.WRITE, 0, 1, 0x1000, 0).status()).isZero();
            assertThat(queue.io(NvmOpcode.READ, 0, 1, data.busAddress(), 0).status()).isZero();
            assertThat(data.segment().get(JAVA_LONG, 0)).isEqualTo(-1);
            assertThat(queue.io(NvmOpcode.READ, 0, 1, 0x1000, 0).status()).isZero();
            assertThat(fabric.traffic().orElseThrow().total().faulted()).isEqualTo(1024);
        }
    }

    @ParameterizedTest
    @EnumSource(FabricModel.PeerReads.class)
    void peerReadsReturnWhatTheFabricSays(FabricModel.PeerReads reads) {
        FabricModel model =
                virtual()
                        .drive(drive("a").build())
                        .drive(drive("b").build())
                        .peerReads(reads)
                        .build();
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                MiniDriver a = MiniDriver.up(fabric, "a");
                MiniDriver b = MiniDriver.up(fabric, "b")) {
            Queue queue = a.ioQueue(1, 8);
            Bar cmb = b.device.bar(2);
            cmb.fill(0, 4096, 0x10101010);
            cmb.fill(MIB / 2, 4096, 0x20202020);
            DmaBuffer data = a.allocate(4096);
            try (PeerMapping window = fabric.dma().mapPeer(b.device, cmb, 0, MIB)) {
                long at = window.busAddress();
                assertThat(queue.io(NvmOpcode.WRITE, 0, 8, at, 0).status()).isZero();
                assertThat(queue.io(NvmOpcode.READ, 0, 8, data.busAddress(), 0).status()).isZero();
                int expected =
                        switch (reads) {
                            case NORMAL -> 0x10101010;
                            case ONES -> -1;
                            case ZEROES -> 0;
                            case OTHER_MEMORY -> 0x20202020;
                        };
                assertThat(data.segment().toArray(JAVA_INT)).containsOnly(expected);
                assertThat(fabric.traffic().orElseThrow().of(a.device.bdf()).peerRead())
                        .isEqualTo(4096);
            }
        }
    }

    @Test
    void vanishingPeerWritesLeaveThePeerAsItWas() {
        FabricModel model =
                virtual()
                        .drive(drive("a").build())
                        .drive(drive("b").build())
                        .peerWrites(FabricModel.PeerWrites.VANISH)
                        .build();
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                MiniDriver a = MiniDriver.up(fabric, "a");
                MiniDriver b = MiniDriver.up(fabric, "b")) {
            Queue queue = a.ioQueue(1, 8);
            Queue own = b.ioQueue(1, 8);
            Bar cmb = b.device.bar(2);
            cmb.fill(0, 4096, 0x33333333);
            try (PeerMapping window = fabric.dma().mapPeer(b.device, cmb, 0, MIB)) {
                assertThat(queue.io(NvmOpcode.READ, 0, 8, window.busAddress(), 0).status())
                        .isZero();
                assertThat(cmb.load64(8)).isEqualTo(0x3333333333333333L);
                enableCmb(b, window.busAddress());
                assertThat(own.io(NvmOpcode.READ, 0, 8, window.busAddress(), 0).status()).isZero();
                assertThat(cmb.load64(8)).as("the owner's own writes arrive").isZero();
            }
        }
    }

    @Test
    void deviceHasOneOwnerAtATime() {
        try (EmulatedFabric fabric = two()) {
            PciDevice first = fabric.open("emu:a");
            assertThatThrownBy(() -> fabric.open("emu:a"))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("open already");
            assertThatThrownBy(() -> fabric.open("emu:z"))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("emu:z");
            Bar bar = first.bar(0);
            first.busMaster(true);
            assertThat(first.config().load16(ConfigSpace.COMMAND))
                    .as("decoding, DMA, no INTx")
                    .isEqualTo(0x0406);
            first.close();
            first.close();
            assertThat(bar.load32(0)).as("a closed device is gone").isEqualTo(-1);
            PciDevice second = fabric.open("emu:a");
            int command = second.config().load16(ConfigSpace.COMMAND);
            assertThat(command & ConfigSpace.COMMAND_BUS_MASTER).isZero();
        }
    }

    @Test
    void closedFabricIsGone() {
        EmulatedFabric fabric = two();
        PciDevice device = fabric.open("emu:a");
        Bar cmb = device.bar(2);
        fabric.close();
        fabric.close();
        assertThat(cmb.load64(0)).isEqualTo(-1);
        assertThatThrownBy(() -> fabric.open("emu:a")).isInstanceOf(PeerlaneException.class);
    }

    @Test
    void buffersAreZeroedAlignedAndApart() {
        try (EmulatedFabric fabric = two()) {
            DmaBuffer first = fabric.dma().allocate(5000);
            DmaBuffer second = fabric.dma().allocate(1);
            assertThat(first.sizeBytes()).isEqualTo(8192);
            assertThat(first.address() % 4096).isZero();
            assertThat(first.busAddress() % 4096).isZero();
            assertThat(second.busAddress()).isGreaterThan(first.busAddress() + 8192);
            assertThat(first.segment().toArray(JAVA_LONG)).containsOnly(0);
            assertThatThrownBy(() -> fabric.dma().allocate(1L << 40))
                    .isInstanceOf(PeerlaneException.class);
            assertThatThrownBy(() -> fabric.dma().allocate(0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void impossibleFabricsAreRefused() {
        DriveModel a = drive("a").build();
        assertThatThrownBy(() -> virtual().build()).hasMessageContaining("no drive");
        assertThatThrownBy(() -> virtual().drive(a).drive(a).build())
                .hasMessageContaining("two drives are called 'a'");
        assertThatThrownBy(() -> virtual().drive(a).port(PortModel.drive("b")).build())
                .hasMessageContaining("'b'");
        assertThatThrownBy(
                        () -> virtual().drive(a).port(new PortModel(null, null, List.of())).build())
                .hasMessageContaining("'a' is in no port");
        assertThatThrownBy(() -> drive("no good").build()).hasMessageContaining("no good");
        assertThatThrownBy(() -> DriveModel.named("a").build()).hasMessageContaining("namespace");
        assertThatThrownBy(() -> NamespaceModel.memory(1000, 512)).hasMessageContaining("1000");
        assertThatThrownBy(() -> NamespaceModel.memory(MIB, 768)).hasMessageContaining("768");
        assertThatThrownBy(() -> CmbModel.of(100)).hasMessageContaining("100");
    }

    @Test
    void standardFabricHasTwoDrivesBehindOneSwitch() {
        try (EmulatedFabric fabric = new EmulatedFabric(FabricModel.standard())) {
            assertThat(fabric.locators()).containsExactly("emu:ssd0", "emu:ssd1");
            Machine machine = fabric.machine();
            Route route =
                    Route.between(machine, bdf(machine, "emu:ssd0"), bdf(machine, "emu:ssd1"));
            assertThat(route.peerReads()).isEqualTo(Verdict.DIRECT);
        }
    }
}
