package dev.peerlane.pci.sysfs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Checks which bytes of which configuration spaces are read, with files that record each read. */
class ConfigReadingTest {
    private static final Bdf PORT = Bdf.parse("00:01.0");
    private static final Bdf DRIVE = Bdf.parse("01:00.0");
    private static final Bdf CARD = Bdf.parse("02:00.0");

    private final Watched files = new Watched();

    /** Files in memory that record which parts of configuration spaces were read. */
    private static final class Watched extends SystemFiles {
        final Map<String, byte[]> contents = new TreeMap<>();
        final Map<String, String> links = new TreeMap<>();
        final List<String> reads = new ArrayList<>();
        int shown = 4096;

        void text(Bdf bdf, String name, String text) {
            contents.put(
                    SysfsTree.directory(bdf) + "/" + name, text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public byte @Nullable [] bytes(String path, int offset, int count) {
            byte[] all = contents.get(path);
            if (path.endsWith("/config")) {
                String name = path.substring(SysfsTree.DEVICES.length() + 1);
                reads.add("%s %x+%x".formatted(name.replace("/config", ""), offset, count));
                all = all == null ? null : Arrays.copyOf(all, Math.min(shown, all.length));
            }
            if (path.contains("_link_")) {
                reads.add(path);
            }
            if (all == null) {
                return null;
            }
            int from = Math.min(offset, all.length);
            return Arrays.copyOfRange(all, from, Math.min(from + count, all.length));
        }

        @Override
        public List<String> list(String path) {
            return links.keySet().stream()
                    .filter(l -> l.startsWith(path + "/"))
                    .map(l -> l.substring(path.length() + 1))
                    .toList();
        }

        @Override
        public @Nullable String link(String path) {
            return links.get(path);
        }

        @Override
        public String origin() {
            return "a test";
        }
    }

    /**
     * Builds a configuration space with power management, MSI-X, PCI Express; AER, a serial number,
     * ACS, an unknown one.
     */
    private static byte[] config(int classCode, int headerType) {
        byte[] space = new byte[4096];
        Arrays.fill(space, 0x80, 4096, (byte) 0x5a); // a reader that reads too much sees nonsense
        ByteBuffer bytes = ByteBuffer.wrap(space).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0, 0x00105045);
        bytes.putInt(4, 0x00100006);
        bytes.putInt(8, classCode << 8);
        bytes.put(0x0e, (byte) headerType);
        bytes.put(0x34, (byte) 0xc8);
        bytes.putInt(0xc8, 0x0003_f001);
        bytes.putInt(0xf0, 0x0003_4011);
        bytes.putInt(0x40, 0x10 | (0x42 << 16));
        bytes.putInt(0x100, 0x2001_0001);
        bytes.putInt(0x104, 0);
        bytes.putInt(0x110, 0);
        bytes.putInt(0x200, 0x3001_0003);
        bytes.putInt(0x300, 0x4001_000d);
        bytes.putInt(0x304, 0x001d_005f);
        bytes.putInt(0x400, 0x0001_0019);
        return space;
    }

    private void machine() {
        add(PORT, "", config(0x060400, 1), "0x060400");
        add(DRIVE, PORT + "/", config(PciFunction.CLASS_NVME, 0), "0x010802");
        add(CARD, "", config(0x020000, 0), "0x020000");
    }

    private void add(Bdf bdf, String above, byte[] config, String classCode) {
        files.links.put(SysfsTree.directory(bdf), "../../../devices/pci0000:00/" + above + bdf);
        files.contents.put(SysfsTree.directory(bdf) + "/config", config);
        files.text(bdf, "class", classCode + "\n");
        files.text(bdf, "vendor", "0x5045\n");
        files.text(bdf, "device", "0x0010\n");
        files.text(bdf, "max_link_speed", "16.0 GT/s PCIe\n");
    }

    private PciFunction read(Bdf bdf) {
        return SysfsTree.read(files, PciFunction::isNvme).function(bdf).orElseThrow().function();
    }

    private List<String> configReads() {
        return files.reads.stream().filter(r -> !r.contains("_link_")).toList();
    }

    @Test
    void onlyCapabilityHeadersAndKnownCapabilitiesAreRead() {
        machine();
        SysfsTree.read(files, PciFunction::isNvme);
        List<String> walk =
                List.of(
                        "0+40", "c8+4", "f0+4", "40+4", "44+30", "100+4", "104+10", "200+4",
                        "300+4", "304+c", "400+4");
        List<String> expected = new ArrayList<>();
        walk.forEach(r -> expected.add(PORT + " " + r));
        walk.forEach(r -> expected.add(DRIVE + " " + r));
        assertThat(configReads()).containsExactlyElementsOf(expected);
    }

    @Test
    void unrequestedBytesAreNotReadAndAreNotZero() {
        machine();
        PciFunction card = read(CARD);
        assertThat(configReads()).noneMatch(r -> r.startsWith(CARD.toString()));
        assertThat(card.classCode()).isEqualTo(0x020000);
        assertThat(card.details().configBytes()).isZero();
        assertThat(card.details().payloadBytes()).isEqualTo(-1);
        assertThat(card.details().uncorrectable()).isEqualTo(-1);
        assertThat(card.details().correctable()).isEqualTo(-1);
        assertThat(card.details().ats()).isNull();
        assertThat(card.details().hasErrors()).isFalse();
        PciFunction drive = read(DRIVE);
        assertThat(drive.details().payloadBytes()).isPositive();
        assertThat(drive.details().uncorrectable()).isZero();
    }

    @Test
    void aListOfFunctionsReadsNoConfigurationSpace(
            @org.junit.jupiter.api.io.TempDir java.nio.file.Path directory)
            throws java.io.IOException {
        java.nio.file.Path sys = directory.resolve("sys");
        new SysfsWriter(sys).function(DRIVE, null, config(PciFunction.CLASS_NVME, 0));
        java.nio.file.Path place = sys.resolve("bus/pci/devices/" + DRIVE);
        java.nio.file.Files.writeString(place.resolve("class"), "0x010802\n");
        SysfsFunction listed = SysfsTree.list(sys).function(DRIVE).orElseThrow();
        assertThat(listed.function().isNvme()).isTrue();
        assertThat(listed.function().details().configBytes()).isZero();
    }

    @Test
    void suspendedFunctionsAndThoseBelowThemAreNotRead() {
        machine();
        files.text(DRIVE, "power/runtime_status", "suspended\n");
        files.text(DRIVE, "power_state", "D3cold\n");
        PciFunction drive = read(DRIVE);
        assertThat(files.reads).noneMatch(r -> r.contains(DRIVE.toString()));
        assertThat(drive.details().asleep()).isEqualTo("suspended, D3cold");
        assertThat(drive.details().payloadBytes()).isEqualTo(-1);
        files.text(DRIVE, "power/runtime_status", "active\n");
        files.text(DRIVE, "power_state", "D0\n");
        files.text(PORT, "power/runtime_status", "suspended\n");
        files.text(PORT, "power_state", "D3hot\n");
        files.reads.clear();
        assertThat(read(DRIVE).details().asleep())
                .isEqualTo("suspended, D3hot, as 0000:00:01.0 above it is");
        assertThat(read(PORT).acs()).as("not none").isEqualTo(Acs.UNREADABLE);
        assertThat(files.reads)
                .noneMatch(r -> r.contains(DRIVE.toString()) || r.contains(PORT.toString()));
    }

    @Test
    void withoutRootSixtyFourBytesAreReadAndOneMoreAttemptIsMade() {
        machine();
        files.shown = 64;
        assertThat(read(DRIVE).details().configBytes()).isEqualTo(64);
        assertThat(read(DRIVE).details().payloadBytes()).isEqualTo(-1);
        assertThat(read(PORT).acs()).isEqualTo(Acs.UNREADABLE);
        files.shown = 256;
        assertThat(read(DRIVE).details().configBytes()).isEqualTo(256);
        assertThat(read(PORT).acs()).isEqualTo(Acs.UNREADABLE);
    }

    @Test
    void aCaptureKeepsTheReadBytesAndLeavesTheRestUnread() {
        machine();
        String directory = SysfsTree.directory(DRIVE);
        ConfigReading first = ConfigReading.of(files, directory, false);
        assertThat(first.config().load32(0x204)).as("a serial number").isEqualTo(-1);
        files.contents.put(directory + "/config", first.bytes());
        files.text(DRIVE, ConfigReading.RANGES, first.ranges());
        ConfigReading second = ConfigReading.of(files, directory, false);
        assertThat(second.readableBytes()).isEqualTo(4096);
        for (int at = 0; at < 4096; at += 4) {
            assertThat(second.config().load32(at)).isEqualTo(first.config().load32(at));
        }
        assertThat(second.config().load32(0x204)).as("not zero").isEqualTo(-1);
        assertThat(ConfigReading.of(files, SysfsTree.directory(CARD), true).config().load32(0x204))
                .as("if it is asked for")
                .isEqualTo(0x5a5a5a5a);
    }

    @Test
    void loopingListsAndInvalidPointersEnd() {
        byte[] space = config(PciFunction.CLASS_NVME, 0);
        space[0xc9] = (byte) 0xc8;
        space[0x102] = 1;
        space[0x103] = 0x10;
        files.links.put(SysfsTree.directory(DRIVE), "../../../devices/pci0000:00/" + DRIVE);
        files.contents.put(SysfsTree.directory(DRIVE) + "/config", space);
        assertThat(read(DRIVE).classCode()).isEqualTo(PciFunction.CLASS_NVME);
        assertThat(files.reads.size()).isLessThan(40);
        files.text(DRIVE, ConfigReading.RANGES, "readable 99999\nfff 2\n-1 4\nx\n0 4000\n");
        assertThat(read(DRIVE).vendorId()).isEqualTo(0xffff);
    }
}
