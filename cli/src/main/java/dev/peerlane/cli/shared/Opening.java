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

/** Parses device names and opens the devices. */
public final class Opening {
    private Opening() {}

    /** Parses the name of a device, without namespace or range. */
    public static String device(String text) {
        Extent extent = Extent.parse(text);
        if (extent.nsid() != null || extent.slba() != null) {
            throw PeerlaneException.request(
                    "device-alone",
                    "'" + text + "' is more than a device",
                    "Write " + extent.device());
        }
        return extent.device();
    }

    /** Parses a device with an optional namespace. */
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

    /** Parses the address of a function of this machine. */
    public static Bdf function(String text) {
        Locator locator = Locator.parse(text);
        if (locator.kind() != Locator.Kind.VFIO) {
            throw PeerlaneException.request(
                    "not-of-this-machine",
                    "'" + text + "' is not a PCI function of this machine",
                    "Give its address, such as 0000:01:00.0; 'peerlane list' shows them");
        }
        return Bdf.parse(locator.text());
    }

    /** Opens the fabric of some devices, without bringing any of them up. */
    public static Session session(
            LocalSystem system, @Nullable Path fabricFile, List<String> devices) {
        return session(system, fabricFile, devices, false);
    }

    /**
     * Opens a fabric like {@link #session}, for measuring: emulated drives move data at full speed.
     */
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
