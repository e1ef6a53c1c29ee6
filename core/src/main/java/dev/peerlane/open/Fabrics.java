package dev.peerlane.open;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.hal.Fabric;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.VfioFabric;
import dev.peerlane.vfio.VfioOptions;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Finds the fabric that the named devices are in, and opens it. */
public final class Fabrics {
    private Fabrics() {}

    /**
     * Opens the fabric of some devices.
     *
     * @param fabricFile the fabric file, or null for none: then {@code emu:} devices are in {@link
     *     FabricSpec#standard the built-in fabric}, as is everything when no device is named
     * @param locators the devices; all are in one fabric. Those of this machine are taken together:
     *     name every one that is to take part, a third party's CMB too
     * @throws PeerlaneException of category REQUEST if they are not or the file is not right, of
     *     category MACHINE if the fabric can't be had or is of a kind that is not supported
     */
    public static Fabric open(@Nullable Path fabricFile, List<Locator> locators) {
        return open(fabricFile, locators, KernelCalls::instance, VfioOptions.DEFAULTS);
    }

    /**
     * As {@link #open(Path, List)}, on another machine than this one.
     *
     * @param kernel its system calls, asked for if devices of the machine are named
     * @param options how those are opened, and where its files are
     */
    public static Fabric open(
            @Nullable Path fabricFile,
            List<Locator> locators,
            Supplier<Kernel> kernel,
            VfioOptions options) {
        return open(fabricFile, locators, kernel, options, false);
    }

    /**
     * As {@link #open(Path, List, Supplier, VfioOptions)}, for a use to which speed counts:
     * emulated drives move data in runs, unless the fabric file says how ({@link
     * FabricSpec#hurried}).
     */
    public static Fabric openHurried(
            @Nullable Path fabricFile,
            List<Locator> locators,
            Supplier<Kernel> kernel,
            VfioOptions options) {
        return open(fabricFile, locators, kernel, options, true);
    }

    private static Fabric open(
            @Nullable Path fabricFile,
            List<Locator> locators,
            Supplier<Kernel> kernel,
            VfioOptions options,
            boolean hurried) {
        if (fabricFile != null) {
            FabricFile file = FabricFile.read(fabricFile);
            for (Locator locator : locators) {
                if (locator.kind() != file.kind()) {
                    throw PeerlaneException.request(
                            "other-fabric",
                            locator + " is not in the fabric that " + fabricFile + " describes",
                            "Name devices of one fabric: " + form(file.kind()));
                }
            }
            return hurried && file instanceof FabricFile.Emulated emulated
                    ? new EmulatedFabric(emulated.spec().hurried())
                    : file.open();
        }
        Locator first = locators.isEmpty() ? null : locators.getFirst();
        for (Locator locator : locators) {
            refuseUnsupported(locator);
            if (first != null && locator.kind() != first.kind()) {
                throw PeerlaneException.request(
                        "other-fabric",
                        first + " and " + locator + " are in different fabrics",
                        "Name devices of one fabric: only there can they reach each other");
            }
        }
        if (first != null && first.kind() == Locator.Kind.QEMU) {
            throw PeerlaneException.request(
                    "no-fabric-file",
                    first + " is inside a QEMU that nothing describes",
                    "Name a file with kind: qemu, socket: and ram: after --fabric");
        }
        if (first != null && first.kind() == Locator.Kind.VFIO) {
            List<Bdf> devices = locators.stream().map(l -> Bdf.parse(l.text())).toList();
            return VfioFabric.open(kernel.get(), devices, options);
        }
        if (first != null && first.kind() == Locator.Kind.VFIO_USER) {
            int prefix = VfioUserFabric.LOCATOR_PREFIX.length();
            return VfioUserFabric.open(
                    locators.stream().map(l -> Path.of(l.text().substring(prefix))).toList());
        }
        FabricSpec standard = FabricSpec.standard();
        return new EmulatedFabric(hurried ? standard.hurried() : standard);
    }

    private static void refuseUnsupported(Locator locator) {
        String reason =
                switch (locator.kind()) {
                    case EMULATOR, QEMU, VFIO, VFIO_USER -> null;
                    case KERNEL -> "block devices and files of the kernel are not supported yet";
                };
        if (reason != null) {
            throw PeerlaneException.machine(
                    "unsupported-locator",
                    locator + " can't be opened: " + reason,
                    "Use PCI addresses of devices that are bound to vfio-pci, emu: devices,"
                            + " vfio-user: sockets, or qemu: devices with --fabric");
        }
    }

    private static String form(Locator.Kind kind) {
        return kind == Locator.Kind.QEMU ? "qemu:BUS:DEVICE.FUNCTION" : "emu:NAME";
    }
}
