package dev.peerlane.provider;

import dev.peerlane.EndpointProvider;
import dev.peerlane.Endpoints;
import dev.peerlane.Locator;
import dev.peerlane.NvmeEndpoints;
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
 * Opens devices of this machine that are bound to vfio-pci. They outlive a process that is killed:
 * what is in use of their CMBs is named in files beside.
 */
public final class VfioProvider implements EndpointProvider {
    private final Supplier<Kernel> kernel;
    private final VfioOptions options;

    /** Makes one over this machine, as a service loader does. */
    public VfioProvider() {
        this(KernelCalls::instance, VfioOptions.DEFAULTS);
    }

    /**
     * Makes one over another machine.
     *
     * @param kernel its system calls, asked for when devices are opened
     * @param options how those are opened, and where its files are
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
        return new NvmeEndpoints(
                VfioFabric.open(kernel.get(), devices, options), ControllerOptions.DEFAULTS);
    }
}
