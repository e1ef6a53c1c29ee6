package dev.peerlane.pci;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.PciFunction.BarWindow;
import dev.peerlane.pci.SysfsFunction.Link;
import dev.peerlane.pci.SysfsFunction.Window;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The PCI functions of a Linux machine, read from a tree laid out like {@code /sys}: the real one,
 * or a copy of it. What is missing there is missing here; everything that is read is bounded.
 *
 * <p>Only root may read configuration space past its first 64 bytes. Where it is cut short, a
 * bridge's ACS is {@link Acs#UNREADABLE}.
 */
public final class SysfsTree {
    private static final int MAX_FUNCTIONS = 65_536;
    private static final int CONFIG_BYTES = 4096;
    private static final int TEXT_BYTES = 4096;
    private static final int BARS = 6;
    private static final int ROM = 6;
    private static final long RESOURCE_MEMORY = 0x200;
    private static final int SECONDARY_BUS = 0x19;

    private final List<SysfsFunction> functions;

    private SysfsTree(List<SysfsFunction> functions) {
        this.functions = functions;
    }

    /**
     * Reads a tree.
     *
     * @param sys its root: {@code /sys}
     * @throws PeerlaneException of category MACHINE if there are no PCI devices below it
     */
    public static SysfsTree read(Path sys) {
        Path devices = sys.resolve("bus/pci/devices");
        List<SysfsFunction> found = new ArrayList<>();
        List<Bdf> parentless = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(devices)) {
            for (Path entry : entries) {
                Bdf bdf = bdf(entry);
                if (bdf != null && found.size() < MAX_FUNCTIONS) {
                    Path parent = parentDirectory(entry);
                    if (parent == null) {
                        parentless.add(bdf);
                    }
                    found.add(function(entry, bdf, parent == null ? null : bdf(parent)));
                }
            }
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "no-sysfs",
                    "the PCI devices in %s can't be read: %s".formatted(devices, e),
                    "Mount sysfs, or name a directory that holds a copy of it",
                    e);
        }
        found.sort(Comparator.comparing(SysfsFunction::bdf));
        found.replaceAll(f -> parentless.contains(f.bdf()) ? underItsBus(f, found) : f);
        return new SysfsTree(List.copyOf(found));
    }

    /** Returns all functions, in bus order. */
    public List<SysfsFunction> functions() {
        return functions;
    }

    /** Returns a function, if it is there. */
    public Optional<SysfsFunction> function(Bdf bdf) {
        return functions.stream().filter(f -> f.bdf().equals(bdf)).findFirst();
    }

    /** Returns the functions of an IOMMU group. */
    public List<SysfsFunction> group(int iommuGroup) {
        return functions.stream().filter(f -> f.iommuGroup() == iommuGroup).toList();
    }

    /**
     * Returns it as a snapshot.
     *
     * @param rootComplex what is known of the root complex, which sysfs does not tell
     * @param named which functions get their address as the name that a user calls them
     */
    public Machine machine(RootComplex rootComplex, Predicate<PciFunction> named) {
        List<PciFunction> all = new ArrayList<>();
        for (SysfsFunction each : functions) {
            PciFunction f = each.function();
            all.add(named.test(f) ? with(f, f.parent(), f.bdf().toString()) : f);
        }
        return new Machine(all, rootComplex);
    }

    private static SysfsFunction function(Path directory, Bdf bdf, @Nullable Bdf parent) {
        SnapshotConfig config =
                new SnapshotConfig(bytes(directory.resolve("config"), CONFIG_BYTES));
        PciFunction.Kind kind = PciFunction.kindOf(config);
        List<BarWindow> bars = new ArrayList<>();
        List<Window> windows = new ArrayList<>();
        resources(directory, kind, bars, windows);
        boolean bridge = kind != PciFunction.Kind.ENDPOINT;
        PciFunction function =
                new PciFunction(
                        bdf,
                        parent,
                        kind,
                        config.load16(ConfigSpace.VENDOR_ID),
                        config.load16(ConfigSpace.DEVICE_ID),
                        config.classCode(),
                        bridge && !config.isComplete() ? Acs.UNREADABLE : Acs.of(config),
                        PciFunction.relaxedOrderingOf(config),
                        bars,
                        null);
        String override = text(directory, "driver_override");
        String group = linkName(directory.resolve("iommu_group"));
        return new SysfsFunction(
                function,
                directory,
                windows,
                number(group),
                number(text(directory, "numa_node")),
                linkName(directory.resolve("driver")),
                override == null || override.equals("(null)") ? null : override,
                link(directory));
    }

    /** Each line is first address, last address, flags: six BARs, the ROM, then other windows. */
    private static void resources(
            Path directory, PciFunction.Kind kind, List<BarWindow> bars, List<Window> windows) {
        String text = text(directory, "resource");
        if (text == null) {
            return;
        }
        int index = -1;
        for (String line : text.split("\n", -1)) {
            index++;
            String[] parts = line.trim().split(" ", -1);
            if (parts.length != 3) {
                continue;
            }
            long start = hexadecimal(parts[0]);
            long last = hexadecimal(parts[1]);
            boolean memory = (hexadecimal(parts[2]) & RESOURCE_MEMORY) != 0;
            if (!memory || start == 0 || Long.compareUnsigned(last, start) < 0) {
                continue;
            }
            windows.add(new Window(start, last));
            boolean bar = index < (kind == PciFunction.Kind.ENDPOINT ? BARS : 2);
            if (bar && index != ROM) {
                bars.add(new BarWindow(index, start, last - start + 1));
            }
        }
    }

    private static @Nullable Link link(Path directory) {
        String speed = text(directory, "current_link_speed");
        String width = text(directory, "current_link_width");
        String maxSpeed = text(directory, "max_link_speed");
        String maxWidth = text(directory, "max_link_width");
        return speed == null || width == null || maxSpeed == null || maxWidth == null
                ? null
                : new Link(speed, width, maxSpeed, maxWidth);
    }

    /** Returns the directory above where a function's entry leads, or null if it is no link. */
    private static @Nullable Path parentDirectory(Path entry) throws IOException {
        if (!Files.isSymbolicLink(entry)) {
            return null;
        }
        return Files.readSymbolicLink(entry).normalize().getParent();
    }

    /** A copy without links tells the parent by the bridges' bus numbers only. */
    private static SysfsFunction underItsBus(SysfsFunction f, List<SysfsFunction> all) {
        for (SysfsFunction bridge : all) {
            if (bridge.isBridge()
                    && bridge.bdf().segment() == f.bdf().segment()
                    && secondaryBus(bridge) == f.bdf().bus()) {
                PciFunction moved = with(f.function(), bridge.bdf(), null);
                return new SysfsFunction(
                        moved,
                        f.directory(),
                        f.windows(),
                        f.iommuGroup(),
                        f.numaNode(),
                        f.driver(),
                        f.driverOverride(),
                        f.link());
            }
        }
        return f;
    }

    private static int secondaryBus(SysfsFunction bridge) {
        byte[] config = bytes(bridge.directory().resolve("config"), CONFIG_BYTES);
        int bus = config.length > SECONDARY_BUS ? config[SECONDARY_BUS] & 0xff : 0;
        return bus == 0 ? -1 : bus;
    }

    private static PciFunction with(PciFunction f, @Nullable Bdf parent, @Nullable String name) {
        return new PciFunction(
                f.bdf(),
                parent,
                f.kind(),
                f.vendorId(),
                f.deviceId(),
                f.classCode(),
                f.acs(),
                f.relaxedOrdering(),
                f.bars(),
                name);
    }

    private static @Nullable Bdf bdf(Path path) {
        Path name = path.getFileName();
        try {
            return name == null ? null : Bdf.parse(name.toString());
        } catch (PeerlaneException e) {
            return null;
        }
    }

    private static @Nullable String linkName(Path link) {
        try {
            Path target = Files.isSymbolicLink(link) ? Files.readSymbolicLink(link) : null;
            Path name = target == null ? null : target.getFileName();
            return name == null ? null : name.toString();
        } catch (IOException e) {
            return null;
        }
    }

    private static byte[] bytes(Path file, int limit) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(limit);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    private static @Nullable String text(Path directory, String name) {
        byte[] read = bytes(directory.resolve(name), TEXT_BYTES);
        String text = new String(read, StandardCharsets.US_ASCII).strip();
        return text.isEmpty() ? null : text;
    }

    private static int number(@Nullable String text) {
        try {
            return text == null ? -1 : Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static long hexadecimal(String text) {
        try {
            return Long.parseUnsignedLong(text.startsWith("0x") ? text.substring(2) : text, 16);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
