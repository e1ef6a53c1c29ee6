package dev.peerlane.pci.sysfs;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.PciFunction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes a tree with the layout of {@code /sys}. */
public final class SysfsWriter {
    private final Path sys;
    private final Map<Bdf, Path> places = new HashMap<>();

    public SysfsWriter(Path sys) {
        this.sys = sys;
    }

    /** Returns the root of the tree. */
    public Path root() {
        return sys;
    }

    /** Adds a function below one that exists, or on a root bus. */
    public SysfsWriter function(Bdf bdf, Bdf parent, byte[] config) {
        String bus = "pci%04x:%02x".formatted(bdf.segment(), bdf.bus());
        Path above = parent == null ? sys.resolve("devices/" + bus) : places.get(parent);
        return functionIn(above, bdf, config);
    }

    /** Adds a function in a directory that does not belong to a function, such as that of a bus. */
    public SysfsWriter functionIn(Path above, Bdf bdf, byte[] config) {
        Path place = above.resolve(bdf.toString());
        places.put(bdf, place);
        write(place.resolve("config"), config);
        link(sys.resolve("bus/pci/devices/" + bdf), place);
        return this;
    }

    /** Adds a function of a machine, with its BARs. */
    public SysfsWriter function(PciFunction function, byte[] config) {
        function(function.bdf(), function.parent(), config);
        String[] lines = new String[13];
        java.util.Arrays.fill(lines, "0x0000000000000000 0x0000000000000000 0x0000000000000000");
        for (PciFunction.BarWindow bar : function.bars()) {
            lines[bar.index()] = resource(bar.address(), bar.sizeBytes());
        }
        return text(function.bdf(), "resource", String.join("\n", lines) + "\n");
    }

    /** Returns a line of a resource file. */
    public static String resource(long start, long bytes) {
        return "0x%016x 0x%016x 0x%016x".formatted(start, start + bytes - 1, 0x14220c);
    }

    /** Adds or replaces a file of a function. */
    public SysfsWriter text(Bdf bdf, String name, String text) {
        write(places.get(bdf).resolve(name), text.getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    /** Puts a function into an IOMMU group. */
    public SysfsWriter group(Bdf bdf, int group) {
        Path directory = sys.resolve("kernel/iommu_groups/" + group);
        link(places.get(bdf).resolve("iommu_group"), directory);
        link(directory.resolve("devices/" + bdf), places.get(bdf));
        return this;
    }

    /** Binds a function to a driver, or to none. */
    public SysfsWriter driver(Bdf bdf, String driver) {
        Path link = places.get(bdf).resolve("driver");
        try {
            Files.deleteIfExists(link);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (driver != null) {
            Path directory = sys.resolve("bus/pci/drivers/" + driver);
            write(directory.resolve("bind"), new byte[0]);
            write(directory.resolve("unbind"), new byte[0]);
            link(link, directory);
        }
        return this;
    }

    /** Returns the directory of a function. */
    public Path place(Bdf bdf) {
        return places.get(bdf);
    }

    /** Adds a file at a path. */
    public SysfsWriter file(String path, String text) {
        write(sys.resolve(path), text.getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    /** Adds a symbolic link at a path, to a place in the tree. */
    public SysfsWriter linkTo(String path, Path target) {
        link(sys.resolve(path), target);
        return this;
    }

    /** Returns the first bytes of a configuration space. */
    public static byte[] bytes(ConfigSpace config, int length) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; at += 4) {
            int word = config.load32(at);
            for (int i = 0; i < 4; i++) {
                bytes[at + i] = (byte) (word >>> (8 * i));
            }
        }
        return bytes;
    }

    /** Writes a whole machine, with each function in a group of its own. */
    public SysfsWriter machine(
            List<PciFunction> functions, java.util.function.Function<Bdf, ConfigSpace> config) {
        int group = 0;
        for (PciFunction function : functions) {
            function(function, bytes(config.apply(function.bdf()), 4096));
            group(function.bdf(), group++);
            driver(function.bdf(), function.isNvme() ? "vfio-pci" : "pcieport");
        }
        return this;
    }

    private static void write(Path file, byte[] bytes) {
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void link(Path link, Path target) {
        try {
            Files.createDirectories(link.getParent());
            Files.createDirectories(target);
            Files.createSymbolicLink(link, link.getParent().relativize(target));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
