package dev.peerlane.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import dev.peerlane.diagnose.Capture;
import dev.peerlane.diagnose.CapturedFiles;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.sysfs.ConfigBytes;
import dev.peerlane.pci.sysfs.SysfsTree;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipOutputStream;

/**
 * Fuzzes captures of machines: a zip file with arbitrary bytes or entries, or a tree of devices
 * with arbitrary files and configuration spaces. The doctor examines each in bounded time, with
 * typed errors only.
 */
public final class CaptureTarget {
    private static final int MOST_DEVICES = 6;
    private static final int MOST_ENTRIES = 400;
    private static final int MOST_TEXT = 12 << 20;
    private static final int BUILT = 2;
    private static final List<String> NAMES =
            List.of(
                    "proc/config.gz",
                    "links",
                    "kernel/config",
                    "proc/cpuinfo",
                    "proc/cmdline",
                    "proc/sys/kernel/osrelease",
                    "sys/kernel/iommu_groups/7/type",
                    "sys/firmware/acpi/tables/IVRS");
    private static final List<String> TEXTS =
            List.of(
                    "vendor",
                    "device",
                    "class",
                    "resource",
                    "numa_node",
                    "max_link_width",
                    "current_link_width",
                    "max_link_speed",
                    "current_link_speed",
                    "enable");

    private CaptureTarget() {}

    /** Runs one input. */
    public static void fuzzerTestOneInput(byte[] data) {
        Input input = new Input(data);
        try {
            int kind = input.int8();
            boolean built = (kind & BUILT) != 0;
            if ((kind & 1) == 0) {
                look(tree(input));
            } else {
                look(open(built ? archive(input) : input.bytes(Integer.MAX_VALUE)));
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
    }

    private static SystemFiles open(byte[] zip) {
        try {
            Path file = Files.createTempFile("capture", ".zip");
            try {
                Files.write(file, zip);
                return Capture.open(file);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a capture that can be unpacked, with any content of any size. */
    private static byte[] archive(Input input) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            entry(zip, "peerlane-capture", input.flag() ? text(input) : "2\n".getBytes(UTF_8));
            for (int i = 0; i < MOST_ENTRIES && !input.isEmpty(); i++) {
                int choice = input.below(NAMES.size() + 2);
                if (choice < NAMES.size()) {
                    entry(zip, NAMES.get(choice), choice == 0 ? gzip(text(input)) : text(input));
                    continue;
                }
                String device = SysfsTree.DEVICES + "/0000:%02x:00.0".formatted(input.below(4));
                boolean config = choice == NAMES.size();
                String name = config ? "config" : TEXTS.get(input.below(TEXTS.size()));
                entry(zip, device + "/" + name, config ? config(input) : text(input));
            }
        } catch (ZipException e) {
            return bytes.toByteArray(); // a name occurs twice: the archive so far is truncated
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(content);
        zip.closeEntry();
    }

    /** Returns a line, repeated often enough to exceed the limit of a file. */
    private static byte[] text(Input input) {
        int times = 1 + (input.below(4) == 3 ? input.int16() : 0);
        String line = input.line() + "\n";
        return line.repeat(Math.min(times, MOST_TEXT / line.length() + 1)).getBytes(UTF_8);
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        }
        return bytes.toByteArray();
    }

    /** Returns devices nested as their links say. */
    private static SystemFiles tree(Input input) {
        CapturedFiles files = new CapturedFiles("fuzz");
        String above = "devices/pci0000:00";
        for (int i = 0; i < MOST_DEVICES && !input.isEmpty(); i++) {
            String name = "0000:%02x:%02x.%d".formatted(input.below(4), input.below(4), i & 7);
            String directory = SysfsTree.DEVICES + "/" + name;
            String target = "../../../" + above + "/" + name;
            files.putLink(directory, target);
            if (input.flag()) {
                above = above + "/" + name;
            }
            files.put(directory + "/config", config(input));
            String text = TEXTS.get(input.below(TEXTS.size()));
            files.put(directory + "/" + text, input.line().getBytes(UTF_8));
            if (input.flag()) {
                files.putLink(directory + "/iommu_group", "../kernel/" + input.line());
            }
        }
        String free = input.line();
        files.put("proc/cmdline", free.getBytes(UTF_8));
        files.put("proc/cpuinfo", input.rest().getBytes(UTF_8));
        return files;
    }

    /** Returns the header of a bridge or an SSD, with some bytes changed anywhere. */
    private static byte[] config(Input input) {
        ConfigBytes config = new ConfigBytes(new byte[input.flag() ? 4096 : 256]);
        boolean bridge = input.flag();
        config.store32(0, 0x0001_1b36);
        config.store32(8, bridge ? 0x060400 << 8 : 0x010802 << 8);
        config.store16(6, 0x10);
        config.store32(0x0c, bridge ? 1 << 16 : 0);
        config.store32(0x18, input.int32());
        config.store32(0x34, 0x40);
        byte[] bytes = config.bytes();
        for (int patches = input.below(24); patches > 0; patches--) {
            bytes[input.int16() % bytes.length] = (byte) input.int8();
        }
        return bytes;
    }

    private static void look(SystemFiles files) {
        Machine machine = SysfsTree.read(files, f -> true).machine();
        List<PciFunction> functions = machine.functions();
        for (PciFunction one : functions) {
            for (PciFunction other : functions) {
                Route.between(machine, one.bdf(), other.bdf()).hops();
            }
        }
        Doctor.examine(Snapshot.of(files));
        Capture.take(files, true);
    }
}
