package dev.peerlane.fabrics;

import dev.peerlane.EndpointProvider;
import dev.peerlane.Endpoints;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.OpenRequest;
import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.ControllerOptions;
import java.nio.file.Path;

/**
 * Opens devices of a fabric that a file describes: emulated drives, or the drives of a running
 * QEMU.
 */
public final class FabricFileProvider implements EndpointProvider {
    /** Creates a provider, for a service loader. */
    public FabricFileProvider() {}

    /** Also accepts QEMU's devices without a file, in order to report that they need one. */
    @Override
    public boolean opens(OpenRequest request) {
        return request.fabricFile() != null || request.kind() == Locator.Kind.QEMU;
    }

    @Override
    public Endpoints open(OpenRequest request) {
        Path path = request.fabricFile();
        if (path == null) {
            String device = request.locators().getFirst().toString();
            throw PeerlaneException.request(
                            "no-fabric-file",
                            device + " is in a QEMU, but no fabric file describes it",
                            "Name a fabric file with kind: qemu, socket: and ram:")
                    .with("device", device);
        }
        FabricFile file = FabricFile.read(path);
        for (Locator locator : request.locators()) {
            if (locator.kind() != file.kind()) {
                throw PeerlaneException.request(
                        "other-fabric",
                        locator + " is not in the fabric that " + path + " describes",
                        "Name devices of one fabric: " + form(file.kind()));
            }
        }
        return Fabrics.over(fabric(file, request), ControllerOptions.DEFAULTS);
    }

    private static Fabric fabric(FabricFile file, OpenRequest request) {
        return request.hurried() && file instanceof FabricFile.Emulated emulated
                ? new EmulatedFabric(emulated.model().hurried())
                : file.open();
    }

    private static String form(Locator.Kind kind) {
        return kind == Locator.Kind.QEMU ? "qemu:BUS:DEVICE.FUNCTION" : "emu:NAME";
    }
}
