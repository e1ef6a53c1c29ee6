package dev.peerlane.cli.shared;

import dev.peerlane.Extent;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.OpenRequest;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.pci.Bdf;
import dev.peerlane.provider.VfioProvider;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** From what was written on the command line to open devices. */
public final class Opening {
    private Opening() {}

    /** Reads the name of a device alone. */
    public static String device(String text) {
        Extent extent = Extent.parse(text);
        if (extent.nsid() != null || extent.slba() != null) {
            throw PeerlaneException.request(
                    "device-alone",
                    "'" + text + "' names more than a device",
                    "Write " + extent.device());
        }
        return extent.device();
    }

    /** Reads a device and perhaps its namespace. */
    public static Extent namespace(String text) {
        Extent extent = Extent.parse(text);
        if (extent.slba() != null) {
            throw PeerlaneException.request(
                    "no-range-here",
                    "'" + text + "' names a range of blocks",
                    "Write the device, or DEVICE/nNSID");
        }
        return extent;
    }

    /** Reads an address of this machine. */
    public static Bdf function(String text) {
        Locator locator = Locator.parse(text);
        if (locator.kind() != Locator.Kind.VFIO) {
            throw PeerlaneException.request(
                    "not-of-this-machine",
                    "'" + text + "' is no PCI function of this machine",
                    "Write its address, such as 0000:01:00.0; peerlane list shows them");
        }
        return Bdf.parse(locator.text());
    }

    /** Opens the fabric of some devices; none of them is brought up yet. */
    public static Session session(
            LocalSystem system, @Nullable Path fabricFile, List<String> devices) {
        return session(system, fabricFile, devices, false);
    }

    /** As {@link #session}, to measure: emulated drives move data as fast as they can. */
    public static Session hurriedSession(
            LocalSystem system, @Nullable Path fabricFile, List<String> devices) {
        return session(system, fabricFile, devices, true);
    }

    private static Session session(
            LocalSystem system, @Nullable Path fabricFile, List<String> devices, boolean hurried) {
        return Session.of(
                Fabrics.installed()
                        .asking(new VfioProvider(system.kernel(), system.options()))
                        .open(new OpenRequest(fabricFile, locators(devices), hurried)));
    }

    private static List<Locator> locators(List<String> devices) {
        return devices.stream().map(Locator::parse).toList();
    }
}
