package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SysfsWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the fabric on a fake kernel. */
class VfioFabricTest {
    @TempDir private Path directory;
    private FakeMachine machine;
    private FakeKernel kernel;

    @BeforeEach
    void machine() {
        machine = new FakeMachine(directory);
        kernel = machine.kernel;
    }

    @AfterEach
    void nothingStaysAndNothingWasDoneWrong() {
        assertThat(kernel.leaks()).isEmpty();
        assertThat(kernel.violations).isEmpty();
    }

    private static void assertRefused(ThrowingCallable call, String code, String... words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(code);
                            for (String word : words) {
                                assertThat(e.explain()).contains(word);
                            }
                        });
    }

    @Test
    void registersAndDoorbellsAreMappedMemory() {
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            Bar bar = device.bar(0);
            assertThat(bar.sizeBytes()).isEqualTo(0x4000);
            assertThat(bar.pciAddress()).isEqualTo(0xc000_0000L);
            int before = kernel.calls.size();
            bar.store32(0x14, 0x460001);
            Doorbell doorbell = bar.doorbell(0x1008);
            doorbell.ring(7);
            bar.store64(0x2000, -2);
            MemorySegment memory = machine.a.bars.get(0);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x14)).isEqualTo(0x460001);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x1008)).isEqualTo(7);
            assertThat(bar.load32(0x1008)).isEqualTo(7);
            assertThat(bar.load64(0x2000)).isEqualTo(-2);
            assertThat(kernel.calls).as("system calls").hasSize(before);
            assertThatThrownBy(() -> bar.load32(0x4000))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> bar.load32(2)).isInstanceOf(IndexOutOfBoundsException.class);
            device.close();
            doorbell.ring(9);
            bar.store32(0x14, 1);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x1008)).isEqualTo(7);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x14)).isEqualTo(0x460001);
            assertThat(bar.load32(0)).as("a device that is closed").isEqualTo(-1);
        }
    }

    @Test
    void partsThatCantBeMappedAreReadAndWrittenThroughTheDescriptor() {
        machine.a.sparse.put(0, List.of(new Span(0, 0xfff), new Span(0x3000, 0x3fff)));
        try (VfioFabric fabric = machine.open()) {
            Bar bar = fabric.open("0000:01:00.0").bar(0);
            MemorySegment memory = machine.a.bars.get(0);
            kernel.calls.clear();
            bar.store32(0x10, 1);
            bar.store32(0x3ffc, 2);
            assertThat(kernel.calls).isEmpty();
            bar.store32(0x1000, 3);
            bar.store64(0x2ff8, 4);
            bar.doorbell(0x1004).ring(5);
            assertThat(kernel.calls).containsExactly("pwrite", "pwrite", "pwrite");
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x3ffc)).isEqualTo(2);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x1000)).isEqualTo(3);
            assertThat(memory.get(ValueLayout.JAVA_INT, 0x1004)).isEqualTo(5);
            assertThat(bar.load64(0x2ff8)).isEqualTo(4);
            assertThat(bar.load32(0x1000)).isEqualTo(3);
            assertThat(bar.load32(0x10)).isEqualTo(1);
            assertRefused(
                    () -> fabric.dma().mapPeer(fabric.openDevice("0000:02:00.0"), bar, 0, 4096),
                    "peer-not-mappable");
        }
    }

    /** A drive that accessed the end of such a range would write to unmapped addresses. */
    @Test
    void aRangeThatLeavesTheMappedPartOfABarIsNotMappedForPeers() {
        machine.a.sparse.put(0, List.of(new Span(0, 0x1fff), new Span(0x3000, 0x3fff)));
        try (VfioFabric fabric = machine.open()) {
            PciDevice owner = fabric.openDevice("0000:01:00.0");
            Bar bar = owner.bar(0);
            assertRefused(
                    () -> fabric.dma().mapPeer(owner, bar, 0x1000, 0x2000), "peer-not-mappable");
            assertRefused(
                    () -> fabric.dma().mapPeer(owner, bar, 0x2000, 0x2000), "peer-not-mappable");
            fabric.dma().mapPeer(owner, bar, 0, 0x2000).close();
        }
    }

    @Test
    void theMsixTableIsNotMappedUnlessTheKernelAllowsIt() {
        machine.a.msixMappable = false;
        try (VfioFabric fabric = machine.open()) {
            Bar bar = fabric.open("0000:01:00.0").bar(0);
            assertThat(kernel.memory.values().stream().map(m -> m.offset() + "+" + m.bytes()))
                    .as("the table is at 2000h, 128 bytes")
                    .containsExactlyInAnyOrder("0+8192", "12288+4096");
            assertThat(bar.load32(0x2000)).isZero();
        }
    }

    @Test
    void aMissingBarIsRefused() {
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            for (int index : new int[] {-1, 1, 4, 6}) {
                assertRefused(() -> device.bar(index), "no-such-bar", "BAR " + index);
            }
        }
    }

    @Test
    void openingResetsAndStopsDmaAndClosingStopsItAgain() {
        machine.a.set32(ConfigSpace.COMMAND, 0x0010_0004);
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            assertThat(machine.a.resets).isEqualTo(1);
            assertThat(machine.a.masters()).isFalse();
            assertThat(machine.a.decodes()).isTrue();
            device.busMaster(true);
            assertThat(machine.a.masters()).isTrue();
            assertThat(device.config().load16(ConfigSpace.COMMAND))
                    .as("decoding, DMA, no INTx")
                    .isEqualTo(0x0406);
            assertRefused(() -> fabric.open("0000:01:00.0"), "device-in-use");
            device.close();
            device.close();
            assertThat(machine.a.masters()).isFalse();
            fabric.open("0000:01:00.0").close();
        }
    }

    @Test
    void aResetThatLosesTheConfigurationIsUndone() {
        machine.a.loseConfigInReset = true;
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            device.busMaster(true);
            device.config().store16(PlainDevice.EXPRESS + 8, 0x2800);
            device.config().store16(PlainDevice.EXPRESS + 0x28, 0x0006);
            device.config().store32(PlainDevice.CACHE_LINE, 0x10);
            device.config().store32(PlainDevice.INTERRUPT_LINE, 0x0b);
            device.reset();
            assertThat(machine.a.resets).isEqualTo(2);
            assertThat(machine.a.get32(ConfigSpace.BAR0)).isEqualTo(0xc000_0004);
            assertThat(machine.a.get32(ConfigSpace.BAR0 + 12)).isEqualTo(0x40);
            assertThat(machine.a.get32(PlainDevice.EXPRESS + 8) & 0xffff).isEqualTo(0x2800);
            assertThat(machine.a.get32(PlainDevice.EXPRESS + 0x28)).as("timeout").isEqualTo(6);
            assertThat(machine.a.get32(PlainDevice.CACHE_LINE)).isEqualTo(0x10);
            assertThat(machine.a.get32(PlainDevice.INTERRUPT_LINE)).isEqualTo(0x0b);
            assertThat(machine.a.masters()).as("as before the reset").isTrue();
        }
    }

    @Test
    void aDeviceWithoutResetSaysSo() {
        machine.a.flags = VfioAbi.DeviceInfo.PCI;
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            assertRefused(device::reset, "no-function-reset", "0000:01:00.0");
        }
    }

    @Test
    void aDeviceThatIsGoneReadsAsOnesAndItsOpeningFails() {
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            machine.a.gone = true;
            machine.b.gone = true;
            assertThat(device.config().load32(ConfigSpace.CLASS_REVISION)).isEqualTo(-1);
            assertThat(device.config().load16(ConfigSpace.VENDOR_ID)).isEqualTo(0x5045);
            kernel.calls.clear();
            assertRefused(device::reset, "device-gone");
            assertThat(kernel.calls).as("it is not waited for").doesNotContain("VFIO_DEVICE_RESET");
            assertRefused(() -> fabric.open("0000:02:00.0"), "device-gone", "0000:02:00.0");
        }
    }

    @Test
    void hostMemoryIsMappedAtAddressesThatNothingDecodes() {
        machine.kernel.ranges = List.of(new Span(0x1_0000_0000L, 0x40_01ff_ffffL));
        // a bridge's window covers nearly all addresses
        machine.sysfs.text(
                FakeMachine.A,
                "resource",
                SysfsWriter.resource(0xc000_0000L, 0x4000)
                        + "\n0x0 0x0 0x0\n"
                        + SysfsWriter.resource(FakeMachine.A_CMB, FakeMachine.CMB_BYTES)
                        + "\n"
                        + SysfsWriter.resource(0x1_0000_0000L, 0x3e_ff00_0000L)
                        + "\n");
        try (VfioFabric fabric = machine.open()) {
            for (int i = 0; i < 3; i++) {
                DmaBuffer buffer = fabric.dma().allocate(1 << 20);
                assertThat(buffer.busAddress()).isBetween(0x3f_ff00_0000L, 0x3f_fff0_0000L);
            }
            assertRefused(
                    () -> fabric.dma().allocate(32 << 20),
                    "no-io-addresses",
                    "100000000-4001ffffff");
        }
    }

    @Test
    void smallBuffersShareOneMappingAndLargeOnesHaveTheirOwn() {
        try (VfioFabric fabric = machine.open()) {
            List<DmaBuffer> buffers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                buffers.add(fabric.dma().allocate(8192));
            }
            assertThat(kernel.space().mappings).hasSize(1);
            DmaBuffer large = fabric.dma().allocate(5 << 20);
            assertThat(large.sizeBytes()).isEqualTo(5 << 20);
            assertThat(kernel.space().mappings).hasSize(2);
            Map<Long, Long> seen = new TreeMap<>();
            for (DmaBuffer buffer : buffers) {
                assertThat(buffer.busAddress() % 4096).isZero();
                assertThat(buffer.address()).isEqualTo(buffer.segment().address());
                assertThat(seen.put(buffer.busAddress(), 0L)).isNull();
            }
            large.close();
            large.close();
            assertThat(kernel.space().mappings).hasSize(1);
            DmaBuffer first = buffers.getFirst();
            first.segment().fill((byte) 1);
            first.close();
            DmaBuffer again = fabric.dma().allocate(4096);
            assertThat(again.address()).isEqualTo(first.address());
            assertThat(again.segment().get(ValueLayout.JAVA_LONG, 0)).as("zeroed").isZero();
        }
    }

    @Test
    void freedAddressesAreNotReusedAtOnce() {
        try (VfioFabric fabric = machine.open()) {
            fabric.dma().allocate(4096);
            DmaBuffer one = fabric.dma().allocate(4 << 20);
            one.close();
            DmaBuffer two = fabric.dma().allocate(4 << 20);
            assertThat(two.busAddress()).isNotEqualTo(one.busAddress());
        }
    }

    @Test
    void hugePagesAreUsedIfThereAreAnyElseOrdinaryOnes() {
        kernel.hugePages = 1;
        try (VfioFabric fabric = machine.open()) {
            DmaBuffer first = fabric.dma().allocate(2 << 20);
            DmaBuffer second = fabric.dma().allocate(2 << 20);
            assertThat(kernel.hugePages).isZero();
            assertThat(first.address() % (2 << 20)).isZero();
            assertThat(first.busAddress() % (2 << 20)).isZero();
            assertThat(second.sizeBytes()).isEqualTo(2 << 20);
            assertThat(kernel.calls).containsSubsequence("mmap huge", "mmap huge", "mmap");
        }
    }

    @Test
    void theLimitOfLockedMemoryIsCheckedFirstAndNamed() {
        kernel.lockLimit = 1 << 20;
        try (VfioFabric fabric = machine.open()) {
            fabric.dma().allocate(512 << 10);
            kernel.calls.clear();
            assertRefused(
                    () -> fabric.dma().allocate(768 << 10),
                    "memlock-limit",
                    "1048576 (RLIMIT_MEMLOCK)",
                    "ulimit -l");
            assertThat(kernel.calls).isEmpty();
            fabric.dma().allocate(256 << 10);
        }
    }

    @Test
    void aProcessThatMayLockAnythingIsNotHeldToTheLimit() {
        kernel.lockLimit = 4096;
        machine.capabilities(1L << 14);
        try (VfioFabric fabric = machine.open()) {
            assertRefused(
                    () -> fabric.dma().allocate(4096), "dma-not-mapped", "ENOMEM", "ulimit -l");
        }
    }

    /** There are addresses for one piece only, so a refused mapping must have freed its own. */
    @Test
    void addressesOfARefusedMappingAreUsedAgain() {
        kernel.lockLimit = 4096;
        kernel.ranges = List.of(new Span(0x1_0000_0000L, 0x1_002f_ffffL));
        machine.capabilities(1L << 14);
        try (VfioFabric fabric = machine.open()) {
            for (int i = 0; i < 3; i++) {
                assertRefused(() -> fabric.dma().allocate(4096), "dma-not-mapped", "ENOMEM");
            }
            assertThat(kernel.memory).as("nor does memory stay").isEmpty();
        }
    }

    @Test
    void aPeersMemoryIsMappedAtItsOwnAddress() {
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:02:00.0");
            Bar cmb = device.bar(2);
            PeerMapping mapping = fabric.dma().mapPeer(device, cmb, 4096, 8192);
            assertThat(mapping.busAddress()).isEqualTo(FakeMachine.B_CMB + 4096);
            assertThat(mapping.sizeBytes()).isEqualTo(8192);
            assertThat(kernel.space().mappings).containsKey(FakeMachine.B_CMB + 4096);
            assertRefused(
                    () -> fabric.dma().mapPeer(device, cmb, 8192, 4096), "peer-mapped-already");
            mapping.close();
            mapping.close();
            fabric.dma().mapPeer(device, cmb, 0, FakeMachine.CMB_BYTES);
            device.close();
            assertThat(kernel.space().mappings).isEmpty();
        }
    }

    @Test
    void theBarOfADeviceThatDecodesNothingIsNotMapped() {
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:02:00.0");
            Bar cmb = device.bar(2);
            device.config().store16(ConfigSpace.COMMAND, 0);
            assertRefused(() -> fabric.dma().mapPeer(device, cmb, 0, 4096), "peer-not-mappable");
            device.config().store16(ConfigSpace.COMMAND, ConfigSpace.COMMAND_MEMORY);
            device.close();
            assertRefused(() -> fabric.dma().mapPeer(device, cmb, 0, 4096), "peer-not-mappable");
        }
    }

    @Test
    void aGroupThatIsNotViableNamesTheOthersInIt() {
        kernel.notViable.add(11);
        Bdf other = new Bdf(0, 1, 0, 1);
        machine.sysfs
                .function(other, null, new byte[256])
                .group(other, 11)
                .driver(other, "snd_hda_intel");
        assertRefused(
                machine::open, "group-not-viable", "0000:01:00.1 (snd_hda_intel)", "group 11");
        assertThat(catchThrowableOfType(PeerlaneException.class, machine::open).values())
                .containsEntry("group", "11");
    }

    @Test
    void aDeviceWithAnotherDriverIsRefusedWithTheRemedy() {
        machine.sysfs.driver(FakeMachine.B, "nvme");
        assertRefused(machine::open, "not-bound", "nvme", "Bind 0000:02:00.0 to vfio-pci");
        assertThat(catchThrowableOfType(PeerlaneException.class, machine::open).values())
                .containsEntry("function", "0000:02:00.0");
        machine.sysfs.driver(FakeMachine.B, null);
        assertRefused(machine::open, "not-bound", "no driver");
    }

    @Test
    void theModeWithoutAnIommuIsRefusedUnlessRequested() {
        machine.sysfs.file("kernel/iommu_groups/12/name", "vfio-noiommu\n");
        assertThatThrownBy(machine::open)
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.category()).isEqualTo(Category.REFUSED);
                            assertThat(e.explain()).contains("enable_unsafe_noiommu_mode");
                        });
    }

    @Test
    void aMachineWithoutVfioOrIommuSaysWhatToDo() {
        kernel.containers = false;
        assertRefused(machine::open, "no-vfio", "modprobe vfio-pci");
        kernel.containers = true;
        kernel.type1 = false;
        assertRefused(machine::open, "no-type1", "intel_iommu=on");
    }

    @Test
    void aMissingDeviceIsRefused() {
        Bdf missing = new Bdf(0, 9, 0, 0);
        assertRefused(
                () -> VfioFabric.open(kernel, List.of(missing), machine.options),
                "no-such-device",
                "0000:09:00.0");
        assertRefused(() -> VfioFabric.open(kernel, List.of(), machine.options), "no-devices");
        try (VfioFabric fabric = machine.open()) {
            assertRefused(() -> fabric.open("0000:09:00.0"), "no-such-device");
        }
    }

    @Test
    void theCompatibilityLayerIsRecognisedAndItsRefusalExplained() {
        kernel.compatibility = true;
        try (VfioFabric fabric = machine.open()) {
            assertThat(fabric.api()).contains("compatibility layer");
            PciDevice device = fabric.open("0000:02:00.0");
            assertThatThrownBy(() -> fabric.dma().mapPeer(device, device.bar(2), 0, 4096))
                    .isInstanceOfSatisfying(
                            PeerlaneException.class,
                            e -> {
                                assertThat(e.code()).isEqualTo("peer-not-mapped");
                                assertThat(e.getMessage())
                                        .contains(
                                                "EFAULT",
                                                "/dev/vfio/vfio (iommufd's compatibility layer),"
                                                        + " which maps no BARs");
                                assertThat(e.remedy()).contains("CONFIG_VFIO_CONTAINER");
                            });
            fabric.dma().allocate(4096);
        }
    }

    @Test
    void moreMappingsThanAllowedAreRefusedBeforeTheKernelIsAsked() {
        kernel.mappingsAllowed = 2;
        try (VfioFabric fabric = machine.open()) {
            fabric.dma().allocate(4 << 20);
            fabric.dma().allocate(4 << 20);
            assertRefused(() -> fabric.dma().allocate(4 << 20), "too-many-mappings", "allows 2");
        }
    }

    @Test
    void anUnmapThatReportsFewerBytesThanWereMappedIsAnError() {
        VfioFabric fabric = machine.open();
        PciDevice device = fabric.open("0000:02:00.0");
        PeerMapping mapping = fabric.dma().mapPeer(device, device.bar(2), 0, 8192);
        kernel.unmapsLess = 4096;
        assertRefused(mapping::close, "dma-not-unmapped", "4096");
        kernel.unmapsLess = 0;
        fabric.close();
    }

    @Test
    void aBusAddressThatDiffersFromSysfsIsRefused() {
        machine.a.set32(ConfigSpace.BAR0, 0xd000_0004);
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:01:00.0");
            assertRefused(() -> device.bar(0), "bar-address-unclear", "0xd0000000", "0xc0000000");
        }
    }

    @Test
    void interruptsAreCountedAndWaitsHaveATimeout() {
        try (VfioFabric fabric = machine.open()) {
            VfioDevice device = fabric.openDevice("0000:01:00.0");
            Interrupts interrupts = device.interrupts(3);
            assertThat(interrupts.vectors()).isEqualTo(3);
            assertThat(interrupts.await(1, 5_000_000)).isFalse();
            assertThat(kernel.fire(machine.a, 1)).isTrue();
            assertThat(interrupts.await(0, 0)).isFalse();
            assertThat(interrupts.await(1, 0)).isTrue();
            assertThat(interrupts.await(1, 0)).as("seen already").isFalse();
            interrupts.close();
            interrupts.close();
            assertThat(kernel.fire(machine.a, 1)).as("disabled").isFalse();
            assertRefused(() -> device.interrupts(9), "too-few-interrupts", "8 MSI-X vectors");
            device.interrupts(8);
        }
    }

    @Test
    void theSnapshotComesFromSysfsWithTheFabricsNames() {
        try (VfioFabric fabric = machine.open()) {
            assertThat(fabric.kind()).isEqualTo("vfio");
            assertThat(fabric.locators()).containsExactly("0000:01:00.0", "0000:02:00.0");
            PciFunction function = fabric.machine().function(FakeMachine.B).orElseThrow();
            assertThat(function.name()).isEqualTo("0000:02:00.0");
            assertThat(function.bars())
                    .contains(
                            new PciFunction.BarWindow(2, FakeMachine.B_CMB, FakeMachine.CMB_BYTES));
            assertThat(fabric.traffic()).isEmpty();
        }
    }
}
