package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;
import dev.peerlane.diagnose.Capture;
import dev.peerlane.diagnose.CapturedFiles;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.ConfigBytes;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.SysfsTree;
import dev.peerlane.pci.SystemFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Captures of machines: a zip file of any bytes, or a tree of devices whose files and configuration
 * spaces are any bytes. Looked at as the doctor does, in bounded time, with typed errors only.
 */
public final class CaptureTarget {
    private static final int MOST_DEVICES = 6;
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
            look(input.flag() ? zip(input) : tree(input));
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
    }

    private static SystemFiles zip(Input input) {
        try {
            Path file = Files.createTempFile("capture", ".zip");
            try {
                Files.write(file, input.bytes(Integer.MAX_VALUE));
                return Capture.open(file);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Devices at and below each other, as far as the links say so. */
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
            files.put(directory + "/" + text, input.line().getBytes(StandardCharsets.UTF_8));
            if (input.flag()) {
                files.putLink(directory + "/iommu_group", "../kernel/" + input.line());
            }
        }
        String free = input.line();
        files.put("proc/cmdline", free.getBytes(StandardCharsets.UTF_8));
        files.put("proc/cpuinfo", input.rest().getBytes(StandardCharsets.UTF_8));
        return files;
    }

    /** The head of a bridge or an SSD, then some bytes anywhere. */
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
