package dev.peerlane.provider;

import dev.peerlane.EndpointProvider;
import dev.peerlane.Endpoints;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.OpenRequest;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.pci.Bdf;
import dev.peerlane.vfio.VfioFabric;
import dev.peerlane.vfio.VfioOptions;
import java.util.List;
import java.util.function.Supplier;

/**
 * Opens devices of this machine that are bound to vfio-pci. The devices outlive a killed process,
 * so the parts of their CMBs that are in use are recorded in files.
 */
public final class VfioProvider implements EndpointProvider {
    private final Supplier<Kernel> kernel;
    private final VfioOptions options;

    /** Creates a provider for this machine, for a service loader. */
    public VfioProvider() {
        this(KernelCalls::instance, VfioOptions.DEFAULTS);
    }

    /**
     * Creates a provider for another machine.
     *
     * @param kernel supplies the system calls when devices are opened
     * @param options how devices are opened, and the machine's sysfs, procfs and state
     */
    public VfioProvider(Supplier<Kernel> kernel, VfioOptions options) {
        this.kernel = kernel;
        this.options = options;
    }

    @Override
    public boolean opens(OpenRequest request) {
        return request.fabricFile() == null && request.kind() == Locator.Kind.VFIO;
    }

    @Override
    public Endpoints open(OpenRequest request) {
        List<Bdf> devices = request.locators().stream().map(l -> Bdf.parse(l.text())).toList();
        return Fabrics.over(
                VfioFabric.open(kernel.get(), devices, options), ControllerOptions.DEFAULTS);
    }
}
