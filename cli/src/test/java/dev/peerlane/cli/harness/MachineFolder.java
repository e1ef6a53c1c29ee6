package dev.peerlane.cli.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.pci.sysfs.ConfigBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A directory laid out like / of a machine with two drives, 0000:03:00.0 and 0000:04:00.0, below a
 * switch whose ports redirect (ACS).
 */
public final class MachineFolder {
    /** The offset of each bridge's ACS capability. */
    public static final int ACS = 0x100;

    private static final Id ROOT_PORT = new Id(0x8086, 0x352a, 0x060400);
    private static final Id SWITCH = new Id(0x1000, 0xc030, 0x060400);
    private static final Id DRIVE = new Id(0x1b36, 0x10, 0x010802);

    private final Path folder;
    private final Path root;

    /** The identification of a function. */
    private record Id(int vendor, int device, int classCode) {}

    /** Creates the files in a directory. */
    public MachineFolder(Path folder) throws IOException {
        this.folder = folder;
        root = folder.resolve("machine");
        String port = "0000:00:01.0";
        String upstream = port + "/0000:01:00.0";
        endpoint("0000:00:00.0", "", new Id(0x8086, 0x1234, 0x060000), -1);
        rootPort(port);
        bridge("0000:01:00.0", port, SWITCH, 5, 0);
        bridge("0000:02:00.0", upstream, SWITCH, 6, 0x1d);
        bridge("0000:02:01.0", upstream, SWITCH, 6, 0x1d);
        drive("0000:03:00.0", upstream + "/0000:02:00.0");
        drive("0000:04:00.0", upstream + "/0000:02:01.0");
    }

    /** Adds a root port. */
    public void rootPort(String name) throws IOException {
        bridge(name, "", ROOT_PORT, 4, 0);
    }

    /**
     * Adds a drive.
     *
     * @param parents the bridges above it, from the top
     */
    public void drive(String name, String parents) throws IOException {
        endpoint(name, parents, DRIVE, 0);
    }

    /** Adds an endpoint: a drive, or the host bridge. */
    private void endpoint(String name, String parent, Id id, int expressType) throws IOException {
        write(name, parent, id, header(id, 0, expressType));
    }

    /** Adds a bridge with the value of its ACS Control register. */
    private void bridge(String name, String parent, Id id, int expressType, int control)
            throws IOException {
        ConfigBytes config = header(id, 1, expressType);
        config.store32(ACS, 0x1000d);
        config.store16(ACS + 4, 0x5f);
        config.store16(ACS + 6, control);
        write(name, parent, id, config);
    }

    private static ConfigBytes header(Id id, int headerType, int expressType) {
        ConfigBytes config = new ConfigBytes(new byte[4096]);
        config.store16(0, id.vendor());
        config.store16(2, id.device());
        config.store32(8, id.classCode() << 8);
        config.store16(0x0e, headerType);
        if (expressType >= 0) {
            config.store16(6, 0x10);
            config.store16(0x34, 0x40);
            config.store16(0x40, 0x10);
            config.store16(0x42, 2 | (expressType << 4));
            config.store32(0x4c, 0x44);
            config.store16(0x52, 0x44);
        }
        return config;
    }

    private void write(String name, String parent, Id id, ConfigBytes config) throws IOException {
        Path top = root.resolve("sys/devices/pci0000:00").resolve(parent).resolve(name);
        Files.createDirectories(top);
        Files.write(top.resolve("config"), config.bytes());
        Files.writeString(top.resolve("class"), "0x%06x\n".formatted(id.classCode()));
        Path devices = root.resolve("sys/bus/pci/devices");
        Files.createDirectories(devices);
        Files.createSymbolicLink(devices.resolve(name), devices.relativize(top));
    }

    /** Returns the directory used as /. */
    public Path root() {
        return root;
    }

    /** Returns the configuration space of a function. */
    public byte[] config(String bdf) throws IOException {
        return Files.readAllBytes(root.resolve("sys/bus/pci/devices/" + bdf + "/config"));
    }

    /** Captures the machine and returns the name of the file. */
    public String capture() {
        Path file = folder.resolve("machine.zip");
        Shell run = Shell.run("capture", file.toString(), "--from", root.toString());
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("7 PCI functions, 2 of them NVMe");
        return file.toString();
    }

    /** Creates a symbolic link. */
    public void link(String path, String target) throws IOException {
        Path link = root.resolve(path);
        Files.createDirectories(link.getParent());
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, Path.of(target));
    }
}
