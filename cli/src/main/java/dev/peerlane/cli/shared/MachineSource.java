package dev.peerlane.cli.shared;

import dev.peerlane.Locator;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.diagnose.Capture;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.probe.Snapshots;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The machine to examine: this one, unless a capture or a fabric is named.
 *
 * @param from a capture, or a directory laid out like /, or null
 * @param fabric a fabric file, or null
 */
public record MachineSource(@Nullable Path from, @Nullable Path fabric) {
    /** Returns whether the devices are in a fabric, not in a machine. */
    public boolean isFabric(List<String> devices) {
        return from == null
                && (fabric != null
                        || devices.stream()
                                .map(Locator::parse)
                                .anyMatch(l ->
                                        l.kind() == Locator.Kind.EMULATOR
                                                || l.kind() == Locator.Kind.QEMU));
    }

    /** Reads the machine. A fabric is opened for this and closed again. */
    public Snapshot snapshot(LocalSystem system, List<String> devices) {
        if (isFabric(devices)) {
            try (Session session = Opening.session(system, fabric, devices)) {
                return Snapshots.of(session);
            }
        }
        if (from == null) {
            return Snapshot.of(system.files(), asked(devices));
        }
        if (fabric != null) {
            throw PeerlaneException.request(
                    "two-machines", "--from and --fabric name two machines", "Omit one of them");
        }
        return Snapshot.of(Capture.open(from), asked(devices));
    }

    /** Returns which functions to examine: the named ones, or all drives if none is named. */
    private static Predicate<PciFunction> asked(List<String> devices) {
        if (devices.isEmpty()) {
            return PciFunction::isNvme;
        }
        Set<Bdf> named = devices.stream().map(Bdf::parse).collect(Collectors.toSet());
        return f -> named.contains(f.bdf());
    }

    /** Returns the address of a device, given by address or by name in a fabric. */
    public static Bdf bdf(Snapshot snapshot, String device) {
        Optional<PciFunction> named =
                snapshot.machine().functions().stream()
                        .filter(f -> device.equals(f.name()))
                        .findFirst();
        if (named.isPresent()) {
            return named.get().bdf();
        }
        if (device.startsWith("emu:") || device.startsWith("qemu:")) {
            throw PeerlaneException.machine(
                    "no-such-device",
                    "no device %s in %s".formatted(device, snapshot.origin()),
                    "peerlane list shows the devices of a fabric");
        }
        return Bdf.parse(device);
    }
}
