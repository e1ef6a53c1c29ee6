package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.fabrics.FabricFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Fuzzes fabric files: each gives a fabric or a typed error. A fabric that needs no files is also
 * opened.
 */
public final class FabricFileTarget {
    private static final Path BASE = Path.of("/nowhere");

    private static final long MOST_CMB_BYTES = 16 << 20;

    private FabricFileTarget() {}

    private static boolean isSmall(FabricModel model) {
        return model.drives().stream()
                .map(DriveModel::cmb)
                .filter(Objects::nonNull)
                .allMatch(cmb -> Math.max(cmb.barBytes(), cmb.sizeBytes()) <= MOST_CMB_BYTES);
    }

    /** Runs one input. */
    public static void fuzzerTestOneInput(byte[] data) {
        try {
            FabricFile file =
                    FabricFile.parse("fuzz.yaml", new String(data, StandardCharsets.UTF_8), BASE);
            if (file instanceof FabricFile.Emulated emulated && isSmall(emulated.model())) {
                // images are in a directory that does not exist, so they are refused and nothing is
                // created
                try (EmulatedFabric fabric = new EmulatedFabric(emulated.model())) {
                    fabric.machine();
                    fabric.clock().turn();
                }
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
    }
}
