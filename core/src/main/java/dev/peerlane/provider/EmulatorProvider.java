package dev.peerlane.provider;

import dev.peerlane.EndpointProvider;
import dev.peerlane.Endpoints;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.OpenRequest;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.nvme.ControllerOptions;

/** Opens drives of the built-in emulated fabric. */
public final class EmulatorProvider implements EndpointProvider {
    /** Creates a provider, for a service loader. */
    public EmulatorProvider() {}

    @Override
    public boolean opens(OpenRequest request) {
        return request.fabricFile() == null
                && (request.kind() == null || request.kind() == Locator.Kind.EMULATOR);
    }

    @Override
    public Endpoints open(OpenRequest request) {
        FabricModel standard = FabricModel.standard();
        return Fabrics.over(
                new EmulatedFabric(request.hurried() ? standard.hurried() : standard),
                ControllerOptions.DEFAULTS);
    }
}
