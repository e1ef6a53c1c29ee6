package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests BARs at addresses that the IOMMU can't translate. */
class BarBeyondIommuTest {
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
                            assertThat(e.explain()).contains(List.of(words));
                        });
    }

    @Test
    void aBarBeyondTheIommuIsRefusedWithWidthAddressAndRemedy() {
        kernel.ranges = List.of(new Span(0, (1L << 38) - 1));
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:02:00.0");
            assertRefused(
                    () -> fabric.dma().mapPeer(device, device.bar(2), 0, 4096),
                    "bar-beyond-iommu",
                    "0x4001000000",
                    "38 bits",
                    "aw-bits=48");
        }
    }

    @Test
    void aBarInAHoleOfTheIommuIsRefusedWithTheRangesAroundIt() {
        long cmb = FakeMachine.B_CMB;
        kernel.ranges = List.of(new Span(0, cmb + 0xfff), new Span(cmb + 0x3000, (1L << 39) - 1));
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:02:00.0");
            fabric.dma().mapPeer(device, device.bar(2), 0, 4096).close();
            assertRefused(
                    () -> fabric.dma().mapPeer(device, device.bar(2), 0, 8192),
                    "bar-beyond-iommu",
                    "0x4001000000 to 0x4001001fff",
                    "0-4001000fff, 4001003000-7fffffffff");
            fabric.dma().mapPeer(device, device.bar(2), 0x3000, 4096);
        }
    }

    /** x86 interrupt messages go to FEEx_xxxxh, whatever ranges the kernel reports. */
    @Test
    void hostMemoryIsNeverMappedAtInterruptAddresses() {
        Span interrupts = new Span(0xfee0_0000L, 0xfeef_ffffL);
        kernel.ranges = List.of(new Span(0xfed0_0000L, 0xfeff_ffffL));
        kernel.lockLimit = 16 << 20;
        try (VfioFabric fabric = machine.open()) {
            int piece = 256 << 10;
            for (int i = 0; i < 6; i++) {
                fabric.dma().allocate(piece); // with their gaps, three fit on either side
            }
            assertRefused(() -> fabric.dma().allocate(piece), "no-io-addresses", "fed00000");
            assertThat(kernel.space().mappings.values())
                    .hasSize(6)
                    .allMatch(m ->
                            m.iova > interrupts.last() || m.iova + m.bytes <= interrupts.start());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aBarBeyondTheIommuGetsAnotherAddressOnlyIfEveryBridgeRedirects(Shape shape)
            throws Throwable {
        kernel.ranges = List.of(new Span(0, (1L << 38) - 1));
        shape.write(machine);
        try (VfioFabric fabric = machine.open()) {
            PciDevice device = fabric.open("0000:02:00.0");
            ThrowingCallable map =
                    () -> {
                        PeerMapping mapping = fabric.dma().mapPeer(device, device.bar(2), 0, 4096);
                        assertThat(mapping.busAddress()).isBetween(4096L, (1L << 38) - 1);
                        assertThat(kernel.space().mappings).containsKey(mapping.busAddress());
                        mapping.close();
                        fabric.dma().mapPeer(device, device.bar(2), 0, 4096).close();
                    };
            if (shape == Shape.REDIRECTING) {
                map.call();
            } else {
                assertRefused(map, "bar-beyond-iommu", "0000:00:01.0");
            }
        }
    }

    /** The root ports above the two drives. */
    enum Shape {
        REDIRECTING(4096, 0x1d),
        STRAIGHT(4096, 0),
        UNREADABLE(64, 0x1d);

        private final int readable;
        private final int control;

        Shape(int readable, int control) {
            this.readable = readable;
            this.control = control;
        }

        void write(FakeMachine machine) {
            for (PlainDevice device : List.of(machine.a, machine.b)) {
                Bdf port = new Bdf(0, 0, device.bdf.bus(), 0);
                PlainDevice config = new PlainDevice(port, 1, Arena.ofAuto());
                config.set32(ConfigSpace.CLASS_REVISION, 0x060400 << 8);
                config.set32(0x0c, 1 << 16);
                config.set32(PlainDevice.EXPRESS, 0x0042_0000 | ConfigSpace.CAP_PCI_EXPRESS);
                config.set32(0x100, ConfigSpace.EXT_ACS | (1 << 16));
                config.set32(0x104, (control << 16) | 0x5f);
                byte[] bytes = config.config.asSlice(0, readable).toArray(ValueLayout.JAVA_BYTE);
                machine.sysfs.function(port, null, bytes);
                deleteLink(machine.sysfs.root().resolve("bus/pci/devices/" + device.bdf));
                machine.sysfs
                        .function(
                                device.function(port), device.config.toArray(ValueLayout.JAVA_BYTE))
                        .group(device.bdf, device.group + 10)
                        .driver(device.bdf, "vfio-pci");
                machine.kernel.devices.clear();
            }
            for (PlainDevice device : List.of(machine.a, machine.b)) {
                machine.kernel.add(new Moved(device));
            }
        }

        private static void deleteLink(Path link) {
            try {
                java.nio.file.Files.delete(link);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    /** A device that is in another group. */
    private static final class Moved extends FakeDevice {
        private final PlainDevice device;

        Moved(PlainDevice device) {
            super(device.bdf, device.group + 10);
            this.device = device;
        }

        @Override
        long size(int region) {
            return device.size(region);
        }

        @Override
        MemorySegment memory(int region) {
            return device.memory(region);
        }

        @Override
        boolean msixMappable(int region) {
            return true;
        }

        @Override
        long load(int region, long offset, int bytes) {
            return device.load(region, offset, bytes);
        }

        @Override
        void store(int region, long offset, int bytes, long value) {
            device.store(region, offset, bytes, value);
        }

        @Override
        boolean decodes() {
            return device.decodes();
        }

        @Override
        boolean masters() {
            return device.masters();
        }

        @Override
        void reset() {
            device.reset();
        }
    }
}
