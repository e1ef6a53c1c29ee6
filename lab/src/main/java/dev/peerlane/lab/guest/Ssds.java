package dev.peerlane.lab.guest;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.hal.Fabric;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.VfioFabric;
import dev.peerlane.vfio.VfioOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The guest's drives by serial number, as found by {@code guest-init.sh}. */
final class Ssds {
    private static final Path LIST = Path.of("/tmp/functions");
    private static final Path FUNCTIONS = Path.of("/sys/bus/pci/devices");

    private Ssds() {}

    /** Returns the address of a drive, such as 0000:03:00.0. */
    static String locator(String serial) {
        try {
            for (String line : Files.readAllLines(LIST)) {
                String[] words = line.split(" ", -1);
                if (words.length == 2 && words[0].equals(serial)) {
                    return words[1];
                }
            }
            throw new IllegalStateException(LIST + " does not know " + serial);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the serial numbers of all drives. */
    static List<String> all() {
        try {
            return Files.readAllLines(LIST).stream()
                    .map(line -> line.substring(0, line.indexOf(' ')))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Opens the fabric of some drives. */
    static Fabric fabric(String... serials) {
        List<Bdf> devices = new ArrayList<>();
        for (String serial : serials) {
            devices.add(Bdf.parse(locator(serial)));
        }
        return VfioFabric.open(KernelCalls.instance(), devices, VfioOptions.DEFAULTS);
    }

    /** Opens a session with some drives. */
    static Session session(String... serials) {
        return Session.of(fabric(serials));
    }

    /** Returns a range of a drive's only namespace. */
    static Extent extent(String serial, long slba, long blocks) {
        return new Extent(locator(serial), null, slba, blocks);
    }

    /** Returns the sysfs directory of a drive's function. */
    static Path sysfs(String serial) {
        return FUNCTIONS.resolve(locator(serial));
    }

    /** Returns the driver of a drive's function, or "none". */
    static String driver(String serial) throws IOException {
        Path link = sysfs(serial).resolve("driver");
        return Files.exists(link)
                ? String.valueOf(Files.readSymbolicLink(link).getFileName())
                : "none";
    }
}
