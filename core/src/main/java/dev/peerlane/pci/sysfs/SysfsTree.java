package dev.peerlane.pci.sysfs;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Cpu;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.PciFunction.BarWindow;
import dev.peerlane.pci.sysfs.SysfsFunction.Window;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The PCI functions of a Linux machine and its first processor, read from sysfs and procfs. What
 * the files lack is absent here too. Everything that is read is bounded.
 *
 * <p>Only root may read configuration space beyond the first 64 bytes, and without memory-mapped
 * configuration space nobody may read beyond 256. If it is cut short, a bridge's ACS is {@link
 * Acs#UNREADABLE}. Configuration space is read of bridges and of the requested functions, and only
 * the parts that are needed ({@link ConfigReading}). It is never read of a function that is
 * suspended or below a suspended one, because the access would wake the function.
 */
public final class SysfsTree {
    /** The directory of the functions. */
    public static final String DEVICES = "sys/bus/pci/devices";

    /** The length of a configuration space. */
    public static final int CONFIG_BYTES = 4096;

    /** The length of the part that every user may read. */
    public static final int PUBLIC_BYTES = 64;

    private static final int WITHOUT_EXTENDED = 256;
    private static final int ROM = 6;
    private static final long RESOURCE_MEMORY = 0x200;
    private static final int SECONDARY_BUS = 0x19;
    private static final int CLASS_BRIDGE = 0x0604;

    private final List<SysfsFunction> functions;
    private final Cpu cpu;

    private SysfsTree(List<SysfsFunction> functions, Cpu cpu) {
        this.functions = functions;
        this.cpu = cpu;
    }

    /**
     * Reads a tree. If there is no PCI directory, the tree is empty.
     *
     * @param asked the functions whose configuration space is read, in addition to bridges
     */
    public static SysfsTree read(SystemFiles files, Predicate<PciFunction> asked) {
        return new Reader(files, Path.of("/sys"), asked, true).tree();
    }

    /** Lists the functions of a tree that must exist. Reads no configuration space. */
    public static SysfsTree list(Path sys) {
        return read(sys, f -> false, false);
    }

    /**
     * Reads a tree that must exist.
     *
     * @param sys the root of the tree: {@code /sys}; {@code proc} is next to it
     * @param asked the functions whose configuration space is read, in addition to bridges
     * @throws PeerlaneException of category MACHINE if there are no PCI devices in the tree
     */
    public static SysfsTree read(Path sys, Predicate<PciFunction> asked) {
        return read(sys, asked, true);
    }

    private static SysfsTree read(Path sys, Predicate<PciFunction> asked, boolean bridges) {
        SystemFiles files = SystemFiles.of(sys, sys.resolveSibling("proc"));
        SysfsTree tree = new Reader(files, sys, asked, bridges).tree();
        if (tree.functions.isEmpty()) {
            throw PeerlaneException.machine(
                    "no-sysfs",
                    "there are no readable PCI devices in "
                            + sys.resolve(DEVICES.substring("sys/".length())),
                    "Mount sysfs, or name a directory that holds a copy of it");
        }
        return tree;
    }

    /** Returns all functions, in bus order. */
    public List<SysfsFunction> functions() {
        return functions;
    }

    /** Returns a function, if it is in the tree. */
    public Optional<SysfsFunction> function(Bdf bdf) {
        return functions.stream().filter(f -> f.bdf().equals(bdf)).findFirst();
    }

    /** Returns the functions of an IOMMU group. */
    public List<SysfsFunction> group(int iommuGroup) {
        return functions.stream().filter(f -> f.iommuGroup() == iommuGroup).toList();
    }

    /** Returns the functions below a bridge, or in the domain that a function creates. */
    public List<SysfsFunction> below(Bdf bdf) {
        return functions.stream().filter(f -> f.above().contains(bdf)).toList();
    }

    /** Returns the tree as a snapshot. */
    public Machine machine() {
        return machine(f -> false);
    }

    /**
     * Returns the tree as a snapshot.
     *
     * @param named the functions that get their address as their name
     */
    public Machine machine(Predicate<PciFunction> named) {
        List<PciFunction> all =
                functions.stream()
                        .map(SysfsFunction::function)
                        .map(f -> named.test(f) ? f.named(f.bdf().toString()) : f)
                        .toList();
        return new Machine(all, cpu);
    }

    /**
     * Returns the power state, such as D3cold, of a function that an access to its configuration
     * space would wake. Returns null if the function is awake, or if Linux doesn't manage its
     * power.
     *
     * @param directory directory of the function
     */
    public static @Nullable String asleep(SystemFiles files, String directory) {
        String status = files.text(directory + "/power/runtime_status");
        String state = files.text(directory + "/power_state");
        boolean suspended = status != null && status.startsWith("suspend");
        boolean cold = "D3cold".equals(state);
        return suspended || cold
                ? "suspended, " + (state == null ? "D-state unknown" : state)
                : null;
    }

    /** Returns the names of the functions that are asleep or below one that is. */
    public static Set<String> asleep(SystemFiles files) {
        Reader reader = new Reader(files, Path.of("/sys"), f -> false, false);
        Set<String> names = new HashSet<>();
        for (String name : files.list(DEVICES)) {
            Bdf bdf = Reader.bdf(name);
            String target = bdf == null ? null : files.link(directory(bdf));
            List<Bdf> above = target == null ? List.of() : Reader.above(target);
            if (bdf != null && reader.asleep(bdf, above) != null) {
                names.add(name);
            }
        }
        return names;
    }

    /** Returns the directory of a function. */
    public static String directory(Bdf bdf) {
        return DEVICES + "/" + bdf;
    }

    /** Reads a tree, once. */
    private static final class Reader {
        private final SystemFiles files;
        private final Path sys;
        private final Predicate<PciFunction> asked;
        private final boolean bridges;
        private final Map<Bdf, ConfigBytes> configs = new HashMap<>();
        private final Map<Bdf, Optional<String>> sleepers = new HashMap<>();

        Reader(SystemFiles files, Path sys, Predicate<PciFunction> asked, boolean bridges) {
            this.files = files;
            this.sys = sys;
            this.asked = asked;
            this.bridges = bridges;
        }

        SysfsTree tree() {
            List<SysfsFunction> found = new ArrayList<>();
            Set<Bdf> unlinked = new HashSet<>();
            for (String name : files.list(DEVICES)) {
                Bdf bdf = bdf(name);
                if (bdf == null) {
                    continue;
                }
                String target = files.link(directory(bdf));
                if (target == null) {
                    unlinked.add(bdf);
                }
                found.add(function(bdf, target == null ? "" : target));
            }
            if (!unlinked.isEmpty()) {
                Map<Integer, Bdf> bridges = bridgesByBus(found);
                found.replaceAll(f ->
                        unlinked.contains(f.bdf())
                                ? f.with(underItsBus(f.function(), bridges))
                                : f);
            }
            Cpu cpu = Cpu.parse(files.text("proc/cpuinfo"));
            found.sort(Comparator.comparing(SysfsFunction::bdf));
            return new SysfsTree(List.copyOf(found), cpu == null ? Cpu.UNKNOWN : cpu);
        }

        private SysfsFunction function(Bdf bdf, String target) {
            String directory = directory(bdf);
            Bdf parent = parent(target);
            List<Bdf> above = above(target);
            String asleep = asleep(bdf, above);
            ConfigReading reading = reading(bdf, directory, asleep);
            ConfigBytes config = reading.config();
            configs.put(bdf, config);
            int classCode = number(directory + "/class", config.classCode());
            PciFunction.Kind kind = PciFunction.kindOf(config);
            boolean bridge =
                    kind != PciFunction.Kind.ENDPOINT || (classCode >>> 8 & 0xffff) == CLASS_BRIDGE;
            boolean complete = reading.readableBytes() > PUBLIC_BYTES;
            if (bridge && !complete) {
                kind = parent == null ? PciFunction.Kind.ROOT_PORT : PciFunction.Kind.OTHER_BRIDGE;
            }
            List<BarWindow> bars = new ArrayList<>();
            List<Window> windows = new ArrayList<>();
            resources(directory, bridge, bars, windows);
            PciFunction f =
                    new PciFunction(
                            bdf,
                            parent,
                            kind,
                            number(directory + "/vendor", config.load16(ConfigSpace.VENDOR_ID)),
                            number(directory + "/device", config.load16(ConfigSpace.DEVICE_ID)),
                            classCode,
                            bridge && hidesAcs(reading) ? Acs.UNREADABLE : Acs.of(config),
                            complete && PciFunction.relaxedOrderingOf(config),
                            bars,
                            null);
            PciDetails details =
                    PciDetails.of(config, reading.readableBytes())
                            .in(
                                    // reading the link accesses the device
                                    asleep == null ? link(directory) : null,
                                    errors(directory),
                                    decimal(files.linkName(directory + "/iommu_group")),
                                    decimal(files.text(directory + "/numa_node")),
                                    files.linkName(directory + "/driver"));
            String override = files.text(directory + "/driver_override");
            Path place = sys.resolve(directory.substring("sys/".length()));
            return new SysfsFunction(
                    f.with(asleep == null ? details : details.asleep(asleep)),
                    place,
                    windows,
                    "(null)".equals(override) ? null : override,
                    above);
        }

        /** If sysfs has no class file, as in an incomplete copy, the header has the class. */
        private ConfigReading reading(Bdf bdf, String directory, @Nullable String asleep) {
            if (asleep != null) {
                return ConfigReading.none(files, directory);
            }
            String known = files.text(directory + "/class");
            ConfigBytes header =
                    known == null
                            ? ConfigReading.header(files, directory).config()
                            : new ConfigBytes(new byte[0]);
            int classCode = number(directory + "/class", header.classCode());
            boolean bridge =
                    (classCode >>> 8 & 0xffff) == CLASS_BRIDGE
                            || PciFunction.kindOf(header) != PciFunction.Kind.ENDPOINT;
            PciFunction function =
                    new PciFunction(
                            bdf,
                            null,
                            bridge ? PciFunction.Kind.OTHER_BRIDGE : PciFunction.Kind.ENDPOINT,
                            0xffff,
                            0xffff,
                            classCode,
                            null,
                            false,
                            List.of(),
                            null);
            if (bridge ? bridges : asked.test(function)) {
                return ConfigReading.of(files, directory, false);
            }
            return known == null
                    ? ConfigReading.header(files, directory)
                    : ConfigReading.none(files, directory);
        }

        /**
         * Returns the power state of a function that an access would wake, or of a function above
         * it.
         */
        private @Nullable String asleep(Bdf bdf, List<Bdf> above) {
            String own = sleepers.computeIfAbsent(bdf, this::asleep).orElse(null);
            for (Bdf each : above) {
                Optional<String> state = sleepers.computeIfAbsent(each, this::asleep);
                if (own == null && state.isPresent()) {
                    own = state.get() + ", as " + each + " above it is";
                }
            }
            return own;
        }

        private Optional<String> asleep(Bdf bdf) {
            return Optional.ofNullable(SysfsTree.asleep(files, directory(bdf)));
        }

        /**
         * Returns whether a bridge may have ACS that can't be read: PCI Express without readable
         * extended capabilities.
         */
        private static boolean hidesAcs(ConfigReading reading) {
            return reading.readableBytes() <= PUBLIC_BYTES
                    || (reading.readableBytes() <= WITHOUT_EXTENDED
                            && reading.config()
                                    .capability(ConfigSpace.CAP_PCI_EXPRESS)
                                    .isPresent());
        }

        /** Each line has first address, last address and flags: six BARs, the ROM, then windows. */
        private void resources(
                String directory, boolean bridge, List<BarWindow> bars, List<Window> windows) {
            String text = files.text(directory + "/resource");
            String[] lines = text == null ? new String[0] : text.split("\n", -1);
            for (int i = 0; i < lines.length; i++) {
                String[] parts = lines[i].strip().split(" ", -1);
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
                if (i < (bridge ? 2 : ROM)) {
                    bars.add(new BarWindow(i, start, last - start + 1));
                }
            }
        }

        private @Nullable Link link(String directory) {
            int generation = Link.generationOf(files.text(directory + "/current_link_speed"));
            int best = Link.generationOf(files.text(directory + "/max_link_speed"));
            int width = decimal(files.text(directory + "/current_link_width"));
            int most = decimal(files.text(directory + "/max_link_width"));
            return best == 0 || most <= 0 ? null : new Link(generation, width, best, most);
        }

        /** Returns the sum of the kernel's AER counters, or -1 if there are none. */
        private long errors(String directory) {
            long sum = -1;
            for (String kind : List.of("correctable", "nonfatal", "fatal")) {
                String text = files.text(directory + "/aer_dev_" + kind);
                if (text == null) {
                    continue;
                }
                for (String line : text.split("\n", -1)) {
                    if (line.startsWith("TOTAL_ERR")) {
                        long count = decimal(line.substring(line.lastIndexOf(' ') + 1));
                        sum = Math.max(sum, 0) + Math.max(count, 0);
                    }
                }
            }
            return sum;
        }

        private Map<Integer, Bdf> bridgesByBus(List<SysfsFunction> all) {
            Map<Integer, Bdf> bridges = new HashMap<>();
            for (SysfsFunction f : all) {
                ConfigBytes config = configs.get(f.bdf());
                if (f.isBridge() && config != null) {
                    int bus = config.load8(SECONDARY_BUS); // ffh if it was not read
                    if (bus > f.bdf().bus() && bus < 0xff) {
                        bridges.putIfAbsent(f.bdf().segment() * 256 + bus, f.bdf());
                    }
                }
            }
            return bridges;
        }

        /** In a copy without links, only the bridges' bus numbers tell the parent. */
        private static PciFunction underItsBus(PciFunction f, Map<Integer, Bdf> bridges) {
            Bdf parent = bridges.get(f.bdf().segment() * 256 + f.bdf().bus());
            return parent == null ? f : f.below(parent);
        }

        private static @Nullable Bdf parent(String target) {
            String[] parts = target.split("/", -1);
            return parts.length < 2 ? null : bdf(parts[parts.length - 2]);
        }

        private static List<Bdf> above(String target) {
            String[] parts = target.split("/", -1);
            List<Bdf> above = new ArrayList<>();
            for (int i = 0; i < parts.length - 1; i++) {
                Bdf bdf = bdf(parts[i]);
                if (bdf != null) {
                    above.add(bdf);
                }
            }
            return above;
        }

        private static @Nullable Bdf bdf(String name) {
            try {
                return Bdf.parse(name);
            } catch (PeerlaneException e) {
                return null;
            }
        }

        private int number(String path, int otherwise) {
            String text = files.text(path);
            try {
                return text == null ? otherwise : Integer.decode(text);
            } catch (NumberFormatException e) {
                return otherwise;
            }
        }

        private static int decimal(@Nullable String text) {
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
}
