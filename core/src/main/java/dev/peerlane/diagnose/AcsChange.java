package dev.peerlane.diagnose;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A reversible change that clears the redirect bits (RR, CR, EC) of bridges. No other bit is
 * changed.
 *
 * <p>The old values are saved in a file before the first write. Restoring sets exactly those
 * values.
 *
 * @param bridges the bridges to change
 */
public record AcsChange(List<Bridge> bridges) {
    private static final String HEAD = "# peerlane acs 1";
    private static final int CONTROL = 6;
    private static final int MAX_LINES = 4096;
    private static final Pattern LINE =
            Pattern.compile("(\\S+) offset=0x(\\p{XDigit}{3}) control=0x(\\p{XDigit}{4})");

    /**
     * A bridge to change.
     *
     * @param bdf its address
     * @param offset offset of its ACS capability
     * @param control value of its ACS Control register before the change
     */
    public record Bridge(Bdf bdf, int offset, int control) {
        /** Returns the register's value after the change. */
        public int changed() {
            return control & ~Acs.REDIRECT_BITS;
        }

        /** Returns the setpci command that makes the change. */
        public String line() {
            return SetPci.word(bdf, "ECAP_ACS+6", 0, control & Acs.REDIRECT_BITS);
        }

        /** Returns the setpci command that undoes the change. */
        public String undoLine() {
            int bits = control & Acs.REDIRECT_BITS;
            return SetPci.word(bdf, "ECAP_ACS+6", bits, bits);
        }
    }

    /** Copies the list. */
    public AcsChange {
        bridges = List.copyOf(bridges);
    }

    /**
     * Plans to turn redirection off on the routes between some devices, in both directions.
     *
     * @throws PeerlaneException of category MACHINE if a device is missing or a bridge can't be
     *     read
     */
    public static AcsChange between(Machine machine, List<Bdf> devices) {
        TreeMap<Bdf, Bridge> found = new TreeMap<>();
        for (Bdf from : devices) {
            if (machine.function(from).isEmpty()) {
                throw PeerlaneException.machine(
                                "no-such-device",
                                "there is no PCI function " + from,
                                "Name an existing function")
                        .with("function", from.toString());
            }
            for (Bdf to : devices) {
                for (PciFunction bridge : Route.between(machine, from, to).redirecting()) {
                    Acs acs = bridge.acs();
                    if (acs == null) {
                        continue;
                    }
                    if (!acs.known() || acs.offset() == 0) {
                        String asleep = bridge.details().asleep();
                        if (asleep != null) {
                            throw PeerlaneException.machine(
                                    "acs-unreadable",
                                    "the ACS capability of %s was not read: it is %s"
                                            .formatted(bridge.bdf(), asleep),
                                    wake(bridge.bdf()));
                        }
                        throw PeerlaneException.machine(
                                "acs-unreadable",
                                "the ACS capability of %s can't be read".formatted(bridge.bdf()),
                                "Run as root, or have root take a capture");
                    }
                    found.put(bridge.bdf(), new Bridge(bridge.bdf(), acs.offset(), acs.control()));
                }
            }
        }
        return new AcsChange(List.copyOf(found.values()));
    }

    private static String wake(Bdf bdf) {
        String control = "/" + SysfsTree.directory(bdf) + "/power/control";
        return "Wake it (echo on > %s), and let it sleep again afterwards (echo auto > %s)"
                .formatted(control, control);
    }

    /**
     * Returns which isolation is lost, one sentence each: the devices that can then reach each
     * other below each bridge.
     */
    public List<String> losses(Machine machine) {
        List<String> lines = new ArrayList<>();
        for (Bdf top : tops(machine)) {
            List<PciFunction> below = below(machine, top);
            List<String> joined = below.stream().map(f -> f.bdf().toString()).toList();
            TreeSet<Integer> groups = new TreeSet<>();
            below.forEach(f -> groups.add(f.details().iommuGroup()));
            lines.add(
                    "%s below %s can then read and write each other's memory past the IOMMU"
                            .formatted(String.join(", ", joined), top));
            String numbers =
                    groups.stream()
                            .filter(g -> g >= 0)
                            .map(String::valueOf)
                            .collect(Collectors.joining(", "));
            if (!numbers.isEmpty()) {
                lines.add(
                        "the kernel keeps their IOMMU groups (%s) as they are, so what vfio says of"
                                        .formatted(numbers)
                                + " their isolation is false until the next boot");
            }
        }
        return lines;
    }

    /** Returns the devices that can reach each other past the IOMMU after the change. */
    public List<Bdf> reached(Machine machine) {
        return tops(machine).stream()
                .flatMap(top -> below(machine, top).stream())
                .map(PciFunction::bdf)
                .distinct()
                .toList();
    }

    /**
     * Returns the switches whose ports are changed. A port outside a switch counts as its own
     * switch.
     */
    private Set<Bdf> tops(Machine machine) {
        Set<Bdf> tops = new TreeSet<>();
        for (Bridge bridge : bridges) {
            machine.function(bridge.bdf())
                    .ifPresent(f -> tops.add(f.parent() == null ? f.bdf() : f.parent()));
        }
        return tops;
    }

    private static List<PciFunction> below(Machine machine, Bdf top) {
        return machine.functions().stream()
                .filter(f -> !f.isBridge())
                .filter(f ->
                        machine.bridgesAbove(f.bdf()).stream().anyMatch(b -> b.bdf().equals(top)))
                .toList();
    }

    /**
     * Saves the old values, then writes each bridge and reads it back. If one fails, those before
     * it are restored.
     *
     * @param root the directory to use as {@code /}
     * @param keep a new file for the old values
     * @throws PeerlaneException of category MACHINE if the file or a bridge can't be written
     */
    public void apply(Path root, Path keep) {
        save(keep);
        List<Bridge> done = new ArrayList<>();
        try {
            for (Bridge bridge : bridges) {
                write(root, bridge, bridge.control(), bridge.changed());
                done.add(bridge);
            }
        } catch (PeerlaneException e) {
            for (Bridge bridge : done.reversed()) {
                try {
                    write(root, bridge, bridge.changed(), bridge.control());
                } catch (PeerlaneException again) {
                    e.addSuppressed(again);
                }
            }
            throw e;
        }
    }

    /**
     * Restores the old values. Refuses a bridge whose value is not the one that this change wrote.
     */
    public void restore(Path root) {
        for (Bridge bridge : bridges) {
            int now = read(root, bridge);
            if (now == bridge.control()) {
                continue;
            }
            write(root, bridge, bridge.changed(), bridge.control());
        }
    }

    private void save(Path keep) {
        String text =
                HEAD
                        + "\n"
                        + bridges.stream()
                                .map(b ->
                                        "%s offset=0x%03x control=0x%04x\n"
                                                .formatted(b.bdf(), b.offset(), b.control()))
                                .collect(Collectors.joining());
        try {
            Files.writeString(
                    keep,
                    text,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.SYNC,
                    StandardOpenOption.WRITE);
        } catch (java.nio.file.FileAlreadyExistsException e) {
            throw PeerlaneException.request(
                            "file-exists",
                            keep + " exists and may hold the values of an earlier change",
                            "Restore from it first, or save the old values in another file")
                    .with("kept", keep.toString());
        } catch (IOException e) {
            throw failed("the old values can't be saved in " + keep, e);
        }
    }

    /**
     * Reads a file that {@link #apply} wrote.
     *
     * @throws PeerlaneException of category REQUEST if the file is not one of those
     */
    public static AcsChange load(Path keep) {
        List<String> lines;
        try {
            if (!Files.isRegularFile(keep) || Files.size(keep) > 100L * MAX_LINES) {
                throw bad(keep, "it is not a small regular file");
            }
            lines = Files.readAllLines(keep, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw bad(keep, e.toString());
        }
        if (lines.isEmpty() || !lines.getFirst().equals(HEAD) || lines.size() > MAX_LINES) {
            throw bad(keep, "its first line is not '" + HEAD + "'");
        }
        List<Bridge> bridges = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            Matcher m = LINE.matcher(line);
            if (!m.matches()) {
                throw bad(keep, "it has a line '" + line + "'");
            }
            bridges.add(
                    new Bridge(
                            Bdf.parse(m.group(1)),
                            Integer.parseInt(m.group(2), 16),
                            Integer.parseInt(m.group(3), 16)));
        }
        return new AcsChange(bridges);
    }

    private static PeerlaneException bad(Path keep, String why) {
        return PeerlaneException.request(
                "bad-acs-file",
                keep + " does not hold saved values: " + why,
                "Name the file in which a change saved them");
    }

    private static Path config(Path root, Bridge bridge) {
        return root.resolve(SysfsTree.directory(bridge.bdf())).resolve("config");
    }

    private static int read(Path root, Bridge bridge) {
        try (RandomAccessFile file = new RandomAccessFile(config(root, bridge).toFile(), "r")) {
            file.seek(bridge.offset());
            int header = word(file);
            if (header != dev.peerlane.pci.ConfigSpace.EXT_ACS) {
                throw PeerlaneException.machine(
                        "acs-moved",
                        "%s has no ACS capability at %03xh: %04x"
                                .formatted(bridge.bdf(), bridge.offset(), header),
                        "Look at the bridges again: the machine has changed");
            }
            file.seek(bridge.offset() + CONTROL);
            return word(file);
        } catch (IOException e) {
            throw failed("ACS of " + bridge.bdf() + " can't be read", e);
        }
    }

    private static int word(RandomAccessFile file) throws IOException {
        byte[] two = new byte[2];
        file.readFully(two);
        return (two[0] & 0xff) | (two[1] & 0xff) << 8;
    }

    private static void write(Path root, Bridge bridge, int expected, int value) {
        int now = read(root, bridge);
        if (now != expected) {
            throw PeerlaneException.refused(
                    "acs-changed",
                    "ACS Control of %s is %04x, not %04x: it was changed meanwhile"
                            .formatted(bridge.bdf(), now, expected),
                    "Look at the bridges again, and decide by hand");
        }
        try (RandomAccessFile file = new RandomAccessFile(config(root, bridge).toFile(), "rw")) {
            file.seek(bridge.offset() + CONTROL);
            file.write(new byte[] {(byte) value, (byte) (value >>> 8)});
        } catch (IOException e) {
            throw failed("ACS of " + bridge.bdf() + " can't be written", e);
        }
        int after = read(root, bridge);
        if (after != value) {
            throw PeerlaneException.machine(
                    "acs-not-taken",
                    "ACS Control of %s is %04x after %04x was written"
                            .formatted(bridge.bdf(), after, value),
                    "The bridge ignores the change; use pci=disable_acs_redir at boot");
        }
    }

    private static PeerlaneException failed(String what, IOException e) {
        return new PeerlaneException(
                PeerlaneException.Category.MACHINE,
                "acs-failed",
                what + ": " + e.getMessage(),
                "Run as root on a kernel that is not locked down",
                e);
    }
}
