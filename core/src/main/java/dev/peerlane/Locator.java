package dev.peerlane;

import dev.peerlane.pci.Bdf;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * The name of a device: {@code 0000:01:00.0} (VFIO), {@code emu:ssd0} (the emulator), {@code
 * qemu:03:00.0} (a running QEMU), {@code vfio-user:PATH}, {@code /dev/nvme0n1} or a file (the
 * kernel).
 *
 * @param kind the backend that has the device
 * @param text the whole name in its usual form; a PCI address has its domain and is in lower case
 */
public record Locator(Kind kind, String text) {
    /** The backend that has a device. */
    public enum Kind {
        /** An emulated device in this process. */
        EMULATOR,
        /** A device of a running QEMU. */
        QEMU,
        /** A device of this machine that is bound to vfio-pci. */
        VFIO,
        /** A device behind a vfio-user socket. */
        VFIO_USER,
        /** A block device of the kernel, or a file. */
        KERNEL
    }

    private static final String EMULATOR_PREFIX = "emu:";
    private static final String QEMU_PREFIX = "qemu:";
    private static final String VFIO_USER_PREFIX = "vfio-user:";

    /** The name of the socket in a directory that SPDK made. */
    private static final String SOCKET_NAME = "cntrl";

    private static final Pattern DRIVE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");
    private static final Pattern PCI =
            Pattern.compile("(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");

    private static final String FORMS =
            "Write a device as emu:NAME, qemu:BUS:DEVICE.FUNCTION, DOMAIN:BUS:DEVICE.FUNCTION,"
                    + " vfio-user:PATH, or a path with a slash in it";

    /**
     * Parses a device name.
     *
     * @throws PeerlaneException of category REQUEST if the name has none of the known forms
     */
    public static Locator parse(String name) {
        if (name.startsWith(EMULATOR_PREFIX)) {
            String drive = name.substring(EMULATOR_PREFIX.length());
            if (!DRIVE.matcher(drive).matches()) {
                throw bad(name, "Name a drive of the emulated fabric, such as emu:ssd0");
            }
            return new Locator(Kind.EMULATOR, name);
        }
        if (name.startsWith(QEMU_PREFIX)) {
            String address = name.substring(QEMU_PREFIX.length());
            if (!PCI.matcher(address).matches()) {
                throw bad(name, "Name a PCI address inside QEMU, such as qemu:03:00.0");
            }
            Bdf bdf = Bdf.parse(address);
            if (bdf.segment() != 0) {
                throw bad(name, "QEMU's devices are in domain 0000: leave it out");
            }
            return new Locator(
                    Kind.QEMU,
                    "%s%02x:%02x.%d"
                            .formatted(QEMU_PREFIX, bdf.bus(), bdf.device(), bdf.function()));
        }
        if (name.startsWith(VFIO_USER_PREFIX)) {
            if (name.length() == VFIO_USER_PREFIX.length()) {
                throw bad(name, "Name the socket, such as vfio-user:/tmp/ssd.sock");
            }
            String path = name.substring(VFIO_USER_PREFIX.length());
            try {
                return new Locator(Kind.VFIO_USER, VFIO_USER_PREFIX + Path.of(path));
            } catch (InvalidPathException e) {
                throw bad(name, "Name a valid path");
            }
        }
        if (PCI.matcher(name).matches()) {
            return new Locator(Kind.VFIO, Bdf.parse(name).toString());
        }
        int slash = name.indexOf('/');
        if (slash >= 0 && name.lastIndexOf(':', slash) < 0) {
            return new Locator(Kind.KERNEL, name);
        }
        throw bad(name, FORMS);
    }

    /** Returns whether a text is a device name to which {@code /nNSID} can be appended. */
    static boolean hasNamespaces(String name) {
        try {
            return parse(name).kind != Kind.KERNEL;
        } catch (PeerlaneException e) {
            return false;
        }
    }

    /** Returns whether a text begins like the path of a socket or a file. */
    static boolean isPath(String name) {
        try {
            Kind kind = parse(name).kind;
            return kind == Kind.VFIO_USER || kind == Kind.KERNEL;
        } catch (PeerlaneException e) {
            return false;
        }
    }

    /**
     * Returns whether the socket or the file exists. A directory counts only if it has a socket in
     * it, as SPDK makes them.
     */
    static boolean exists(String name) {
        Locator locator = parse(name);
        String path =
                locator.kind == Kind.VFIO_USER
                        ? locator.text.substring(VFIO_USER_PREFIX.length())
                        : locator.text;
        try {
            Path file = Path.of(path);
            return Files.isDirectory(file)
                    ? Files.exists(file.resolve(SOCKET_NAME))
                    : Files.exists(file);
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static PeerlaneException bad(String name, String remedy) {
        return PeerlaneException.request(
                "bad-locator", "'" + name + "' is not a device name", remedy);
    }

    @Override
    public String toString() {
        return text;
    }
}
