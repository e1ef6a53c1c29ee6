package dev.peerlane.provider;

import dev.peerlane.EndpointProvider;
import dev.peerlane.Endpoints;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.OpenRequest;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.nio.file.Path;

/** Opens devices behind vfio-user sockets. */
public final class VfioUserProvider implements EndpointProvider {
    /** Creates a provider, for a service loader. */
    public VfioUserProvider() {}

    @Override
    public boolean opens(OpenRequest request) {
        return request.fabricFile() == null && request.kind() == Locator.Kind.VFIO_USER;
    }

    @Override
    public Endpoints open(OpenRequest request) {
        int prefix = VfioUserFabric.LOCATOR_PREFIX.length();
        return Fabrics.over(
                VfioUserFabric.open(
                        request.locators().stream()
                                .map(l -> Path.of(l.text().substring(prefix)))
                                .toList()),
                ControllerOptions.DEFAULTS);
    }
}
