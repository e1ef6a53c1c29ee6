package dev.peerlane.pci.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests a tree with a switch: root port 00:01.0, upstream 01:00.0, downstream 02:00.0 and 02:01.0.
 */
class SysfsTreeTest {
    private static final Bdf PORT = Bdf.parse("00:01.0");
    private static final Bdf UP = Bdf.parse("01:00.0");
    private static final Bdf DOWN_A = Bdf.parse("02:00.0");
    private static final Bdf DOWN_B = Bdf.parse("02:01.0");
    private static final Bdf A = Bdf.parse("03:00.0");
    private static final Bdf B = Bdf.parse("04:00.0");

    @TempDir private Path directory;
    private Path sys;
    private SysfsWriter writer;

    @BeforeEach
    void tree() {
        sys = directory.resolve("sys");
        writer = new SysfsWriter(sys);
        writer.function(PORT, null, bridge(4, 0x1d, 1));
        writer.function(UP, PORT, bridge(5, -1, 2));
        writer.function(DOWN_A, UP, bridge(6, 0, 3));
        writer.function(DOWN_B, UP, bridge(6, 0, 4));
        writer.function(A, DOWN_A, endpoint()).function(B, DOWN_B, endpoint());
    }

    private static byte[] config(int classCode, int headerType, int portType) {
        byte[] space = new byte[4096];
        ByteBuffer bytes = ByteBuffer.wrap(space).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0, 0x00105045);
        bytes.putInt(4, 0x00100006);
        bytes.putInt(8, classCode << 8);
        bytes.put(0x0e, (byte) headerType);
        bytes.put(0x34, (byte) 0x40);
        bytes.putInt(0x40, 0x10 | (((portType << 4) | 2) << 16));
        bytes.putInt(0x48, 0x10);
        return space;
    }

    private static byte[] bridge(int portType, int acs, int secondary) {
        byte[] space = config(0x060400, 1, portType);
        ByteBuffer bytes = ByteBuffer.wrap(space).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(0x19, (byte) secondary);
        if (acs >= 0) {
            bytes.putInt(0x100, 0x0001_000d);
            bytes.putInt(0x104, (acs << 16) | 0x5f);
        }
        return space;
    }

    private static byte[] endpoint() {
        return config(PciFunction.CLASS_NVME, 0, 0);
    }

    private SysfsFunction read(Bdf bdf) {
        return SysfsTree.read(sys, f -> true).function(bdf).orElseThrow();
    }

    @Test
    void theTreeIsThatOfTheDirectories() {
        SysfsTree tree = SysfsTree.read(sys, f -> true);
        assertThat(tree.functions().stream().map(SysfsFunction::bdf))
                .containsExactly(PORT, UP, DOWN_A, DOWN_B, A, B);
        Machine machine = tree.machine(PciFunction::isNvme);
        assertThat(machine.bridgesAbove(A).stream().map(PciFunction::bdf))
                .containsExactly(DOWN_A, UP, PORT);
        assertThat(machine.function(A).orElseThrow().name()).isEqualTo("0000:03:00.0");
        assertThat(machine.function(UP).orElseThrow().name()).isNull();
        assertThat(machine.functions().stream().map(PciFunction::kind))
                .containsExactly(
                        PciFunction.Kind.ROOT_PORT,
                        PciFunction.Kind.SWITCH_UPSTREAM,
                        PciFunction.Kind.SWITCH_DOWNSTREAM,
                        PciFunction.Kind.SWITCH_DOWNSTREAM,
                        PciFunction.Kind.ENDPOINT,
                        PciFunction.Kind.ENDPOINT);
        assertThat(machine.function(PORT).orElseThrow().acs())
                .isEqualTo(new Acs(0x100, 0x5f, 0x1d, 0));
        assertThat(machine.function(UP).orElseThrow().acs()).isNull();
        assertThat(machine.function(A).orElseThrow().relaxedOrdering()).isTrue();
        assertThat(Route.between(machine, A, B).peerWrites()).isEqualTo(Verdict.DIRECT);
    }

    @Test
    void aCopyWithoutLinksFindsParentsByBusNumbers() throws IOException {
        Path copy = directory.resolve("copy");
        for (Bdf bdf : List.of(PORT, UP, DOWN_A, DOWN_B, A, B)) {
            Path place = copy.resolve("bus/pci/devices/" + bdf);
            Files.createDirectories(place);
            Files.copy(writer.place(bdf).resolve("config"), place.resolve("config"));
        }
        assertThat(SysfsTree.read(copy, f -> true).machine().functions())
                .isEqualTo(SysfsTree.read(sys, f -> true).machine().functions());
    }

    @Test
    void resourcesAreBarsAndWindows() {
        String none = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
        writer.text(
                A,
                "resource",
                SysfsWriter.resource(0xc000_0000L, 0x4000)
                        + "\n"
                        + none
                        + SysfsWriter.resource(0x40_0000_0000L, 1 << 20)
                        + "\n"
                        + "0x000000000000e000 0x000000000000e07f 0x0000000000040101\n"
                        + none.repeat(2)
                        + SysfsWriter.resource(0xc100_0000L, 0x10000)
                        + "\n");
        writer.text(
                DOWN_A,
                "resource",
                none.repeat(13) + none + SysfsWriter.resource(0xc000_0000L, 1 << 20) + "\n");
        assertThat(read(A).function().bars())
                .containsExactly(
                        new PciFunction.BarWindow(0, 0xc000_0000L, 0x4000),
                        new PciFunction.BarWindow(2, 0x40_0000_0000L, 1 << 20));
        assertThat(read(A).windows()).hasSize(3);
        assertThat(read(DOWN_A).function().bars()).isEmpty();
        assertThat(read(DOWN_A).windows())
                .containsExactly(new SysfsFunction.Window(0xc000_0000L, 0xc00f_ffffL));
    }

    @Test
    void whatIsKnownBesidesIsRead() {
        writer.group(A, 7).driver(A, "nvme").text(A, "numa_node", "1\n");
        writer.text(A, "driver_override", "vfio-pci\n").text(B, "driver_override", "(null)\n");
        writer.text(A, "current_link_speed", "8.0 GT/s PCIe\n").text(A, "current_link_width", "2");
        writer.text(A, "max_link_speed", "16.0 GT/s PCIe\n").text(A, "max_link_width", "4\n");
        SysfsFunction a = read(A);
        assertThat(a.iommuGroup()).isEqualTo(7);
        assertThat(a.driver()).isEqualTo("nvme");
        assertThat(a.driverOverride()).isEqualTo("vfio-pci");
        assertThat(a.numaNode()).isEqualTo(1);
        assertThat(a.link()).hasToString("8 GT/s x2 (of 16 GT/s x4)");
        SysfsFunction b = read(B);
        assertThat(b.iommuGroup()).isEqualTo(-1);
        assertThat(b.driver()).isNull();
        assertThat(b.driverOverride()).isNull();
        assertThat(b.link()).isNull();
        assertThat(SysfsTree.read(sys, f -> true).group(7))
                .extracting(SysfsFunction::bdf)
                .containsExactly(A);
    }

    @Test
    void aBridgeWhoseAcsOnlyRootMayReadIsTakenAsRedirecting() {
        writer.text(DOWN_A, "config", "");
        for (int bytes : new int[] {64, 256}) {
            for (Bdf bridge : List.of(DOWN_A, DOWN_B)) {
                byte[] cut = Arrays.copyOf(bridge(6, 0, bridge.equals(DOWN_A) ? 3 : 4), bytes);
                write(writer.place(bridge).resolve("config"), cut);
            }
            Machine machine = SysfsTree.read(sys, f -> true).machine();
            Route route = Route.between(machine, A, B);
            assertThat(route.peerWrites()).isEqualTo(Verdict.UNKNOWN);
            assertThat(route.peerReads()).isEqualTo(Verdict.UNKNOWN);
            assertThat(route.reason())
                    .contains("0000:02:00.0", bytes == 64 ? "only root may" : "256 bytes");
        }
    }

    private static void write(Path file, byte[] bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void nonsenseIsReadAsNothing() {
        writer.text(A, "resource", "0xzz 1\n\n0x1 0x0 0x200\n0xffffffffffffffff 0x1 0x200\n");
        writer.text(A, "numa_node", "many\n");
        writer.file("bus/pci/devices/none/config", "x").file("bus/pci/devices/0000:7/config", "x");
        SysfsFunction a = read(A);
        assertThat(a.function().bars()).isEmpty();
        assertThat(a.windows()).isEmpty();
        assertThat(a.numaNode()).isEqualTo(-1);
        assertThat(SysfsTree.read(sys, f -> true).functions()).hasSize(6);
    }

    @Test
    void aFunctionWithoutFilesIsListedAsUnknown() {
        Bdf bare = Bdf.parse("10000:e1:00.0");
        writer.function(bare, null, new byte[0]);
        PciFunction function = read(bare).function();
        assertThat(function.vendorId()).isEqualTo(0xffff);
        assertThat(function.isNvme()).isFalse();
        assertThat(function.bars()).isEmpty();
    }

    @Test
    void noTreeIsAnError() {
        assertThatThrownBy(() -> SysfsTree.list(directory.resolve("nowhere")))
                .isInstanceOfSatisfying(
                        PeerlaneException.class, e -> assertThat(e.code()).isEqualTo("no-sysfs"));
    }

    /** The omitted entries could include the one device that matters. */
    @Test
    void directoryWithTooManyEntriesIsAnErrorAndIsNotTruncated() {
        assertThat(SystemFiles.of(directory, 6).list("sys/bus/pci/devices")).hasSize(6);
        assertThatThrownBy(() -> SystemFiles.of(directory, 5).list("sys/bus/pci/devices"))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageEndingWith("sys/bus/pci/devices has more than 5 entries")
                .extracting("code")
                .isEqualTo("directory-too-long");
    }
}
