package dev.peerlane;

import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.ControllerOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** Finds the provider for the named devices, and has it open them. Used by any thread. */
public final class Fabrics {
    private final List<EndpointProvider> providers;

    private Fabrics(List<EndpointProvider> providers) {
        this.providers = List.copyOf(providers);
    }

    /** Returns the installed providers: the library's own, and those on the class path. */
    public static Fabrics installed() {
        List<EndpointProvider> found = new ArrayList<>();
        ServiceLoader.load(EndpointProvider.class, Fabrics.class.getClassLoader())
                .forEach(found::add);
        return new Fabrics(found);
    }

    /** Returns these providers and another one, which is asked before them. */
    public Fabrics asking(EndpointProvider first) {
        List<EndpointProvider> more = new ArrayList<>();
        more.add(first);
        more.addAll(providers);
        return new Fabrics(more);
    }

    /**
     * Opens the devices of one fabric. None of them is brought up yet.
     *
     * @param request names every device that takes part, including a third party whose CMB may be
     *     used. Without a fabric file, {@code emu:} devices come from the built-in fabric; a
     *     request that names no device opens all of the built-in fabric
     * @throws PeerlaneException of category REQUEST if the devices are not of one fabric or the
     *     fabric file is invalid, or of category MACHINE if the fabric can't be opened or no
     *     provider handles it
     */
    public Endpoints open(OpenRequest request) {
        List<Locator> locators = request.locators();
        for (Locator locator : locators) {
            if (request.fabricFile() == null && locator.kind() != request.kind()) {
                throw PeerlaneException.request(
                        "other-fabric",
                        locators.getFirst() + " and " + locator + " are in different fabrics",
                        "Name devices of one fabric: only there can they reach each other");
            }
        }
        for (EndpointProvider provider : providers) {
            if (provider.opens(request)) {
                return provider.open(request);
            }
        }
        throw nobody(request);
    }

    /** Opens the devices of one fabric, without {@linkplain OpenRequest#hurried hurrying}. */
    public Endpoints open(@Nullable Path fabricFile, List<Locator> locators) {
        return open(new OpenRequest(fabricFile, locators, false));
    }

    /**
     * Creates endpoints over the NVMe controllers of a fabric, for a provider. They own the fabric.
     * Nothing is opened yet.
     *
     * @param options timeouts and limits for every controller
     */
    public static Endpoints over(Fabric fabric, ControllerOptions options) {
        return new NvmeEndpoints(fabric, options);
    }

    private static PeerlaneException nobody(OpenRequest request) {
        if (request.fabricFile() != null) {
            return PeerlaneException.machine(
                    "unsupported-file",
                    "fabric file "
                            + request.fabricFile()
                            + " can't be opened: no provider reads such files",
                    "Put peerlane-fabrics on the class path");
        }
        Locator first = request.locators().isEmpty() ? null : request.locators().getFirst();
        String why =
                first != null && first.kind() == Locator.Kind.KERNEL
                        ? "block devices and files of the kernel are not supported yet"
                        : "no provider on the class path knows its kind";
        return PeerlaneException.machine(
                "unsupported-locator",
                (first == null ? "the built-in fabric" : first) + " can't be opened: " + why,
                "Use PCI addresses of devices that are bound to vfio-pci, emu: devices,"
                        + " vfio-user: sockets, or qemu: devices with a fabric file");
    }
}
