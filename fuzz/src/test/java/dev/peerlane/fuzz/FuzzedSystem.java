package dev.peerlane.fuzz;

import dev.peerlane.binding.SystemWriter;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.diagnose.Capture;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.fabrics.FabricFile;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.sysfs.SysfsWriter;
import dev.peerlane.pci.sysfs.SystemFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A private directory for one run: a machine below {@code machine}, files that arguments can name,
 * and space for temporary files. Its kernel has only the device nodes of the nvme driver.
 */
final class FuzzedSystem implements AutoCloseable {
    /** Names below the directory for use in arguments. The last ones do not exist. */
    static final List<String> NAMES =
            List.of(
                    "fabric.yaml",
                    "machine",
                    "machine.capture",
                    "sockets",
                    "noise",
                    "empty",
                    "new",
                    "none/new");

    private static final String FABRIC =
            """
            kind: emulator
            fabric: packets
            seed: 1
            drives:
              - {name: a, size: 1MiB, serial: SA, cmb: {size: 2MiB}}
              - {name: b, size: 1MiB, serial: SB, cmb: {size: 2MiB}}
            ports:
              - switch:
                  - {drive: a, acs: [SV, RR, CR, UF]}
                  - {drive: b, acs: [SV, RR, CR, UF]}
            """;

    private static final String EVIL = "\u001b[2Jmodel\rof\ta\nstranger\u0007";

    private final Path folder = Scratch.shortLived("arguments");
    private final SysfsWriter sysfs = new SysfsWriter(folder.resolve("machine/sys"));
    private final List<Bdf> drives = new ArrayList<>();
    private final List<String> writes = new ArrayList<>();

    FuzzedSystem() {
        try {
            make();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void make() throws IOException {
        Path file = Files.writeString(folder.resolve("fabric.yaml"), FABRIC);
        Path machine = folder.resolve("machine");
        if (FabricFile.read(file) instanceof FabricFile.Emulated emulated) {
            try (EmulatedFabric fabric = new EmulatedFabric(emulated.model())) {
                sysfs.machine(fabric.machine().functions(), fabric::config);
                fabric.machine().nvmeFunctions().stream()
                        .map(PciFunction::bdf)
                        .forEach(drives::add);
            }
        }
        drive(drives.getFirst(), "nvme0");
        sysfs.driver(drives.getFirst(), "nvme");
        drive(drives.getLast(), "nvme1");
        for (Bdf bdf : drives) {
            sysfs.text(bdf, "driver_override", "(null)\n");
        }
        text("machine/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
        text("machine/proc/swaps", "Filename\n");
        text("machine/proc/sys/kernel/osrelease", EVIL + "\n");
        Files.createDirectories(machine.resolve("proc/self/ns"));
        Files.createSymbolicLink(machine.resolve("proc/self/ns/pid"), Path.of("pid:[4026531836]"));
        Files.createDirectories(folder.resolve("sockets"));
        Files.createDirectories(folder.resolve("temporary"));
        text("empty", "");
        text("noise", EVIL.repeat(20));
        Capture.write(
                Capture.take(SystemFiles.of(machine), true), folder.resolve("machine.capture"));
    }

    private void drive(Bdf bdf, String name) {
        sysfs.text(bdf, "nvme/" + name + "/model", EVIL + "\n");
        sysfs.text(bdf, "nvme/" + name + "/serial", "S-" + name + "\n");
        sysfs.text(bdf, "nvme/" + name + "/" + name + "n1/nsid", "1\n");
        sysfs.file("class/block/" + name + "n1/size", "2048\n");
        sysfs.file("class/block/" + name + "n1/dev", "259:" + bdf.bus() + "\n");
    }

    private void text(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    Path folder() {
        return folder;
    }

    /** Returns the directory for temporary files, which the program removes. */
    Path temporary() {
        return folder.resolve("temporary");
    }

    /** Returns the addresses of the machine's drives. */
    List<Bdf> drives() {
        return drives;
    }

    /** Returns the writes to its sysfs. */
    List<String> writes() {
        return writes;
    }

    /** Returns whether a path is inside the directory. */
    boolean holds(Path path) {
        return path.toAbsolutePath().normalize().startsWith(folder);
    }

    /** Returns the machine on which the program runs. */
    LocalSystem host() {
        return new LocalSystem(folder.resolve("machine"), FuzzedSystem::kernel, new Drivers());
    }

    /** Returns a kernel in which no one else uses the drives and no other device node exists. */
    private static Kernel kernel() {
        return (Kernel)
                Proxy.newProxyInstance(
                        Kernel.class.getClassLoader(),
                        new Class<?>[] {Kernel.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "open" ->
                                            ((String) arguments[0]).startsWith("/dev/nvme")
                                                    ? 3L
                                                    : (long) -Errno.ENOENT;
                                    case "ioctl", "close" -> 0L;
                                    default -> (long) -Errno.ENOENT;
                                });
    }

    /** Imitates what Linux does when a driver is bound or unbound. */
    private final class Drivers implements SystemWriter {
        @Override
        public void write(Path file, String text) throws IOException {
            Path place = sysfs.root().relativize(file);
            writes.add(place + "=" + text);
            if (place.endsWith("bind")) {
                sysfs.driver(Bdf.parse(text.strip()), place.getName(3).toString());
            } else if (place.endsWith("unbind")) {
                sysfs.driver(Bdf.parse(text.strip()), null);
            } else if (place.endsWith("drivers_probe")) {
                Bdf bdf = Bdf.parse(text.strip());
                String wanted =
                        Files.readString(sysfs.place(bdf).resolve("driver_override")).strip();
                sysfs.driver(bdf, wanted.contains("null") || wanted.isBlank() ? "nvme" : wanted);
            } else {
                Files.writeString(file, text.isBlank() ? "(null)\n" : text);
            }
        }

        @Override
        public void load(String module) {
            writes.add("load " + module);
            sysfs.file("bus/pci/drivers/" + module + "/bind", "");
        }
    }

    @Override
    public void close() {
        Scratch.remove(folder);
    }

    /** Returns the names in a directory, sorted. */
    static List<String> names(Path of) {
        try (Stream<Path> files = Files.list(of)) {
            return files.map(f -> String.valueOf(f.getFileName())).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
