package dev.peerlane;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** Finds who can open the named devices, and has them opened. Used by any thread. */
public final class Fabrics {
    private final List<EndpointProvider> providers;

    private Fabrics(List<EndpointProvider> providers) {
        this.providers = List.copyOf(providers);
    }

    /** Returns those that are installed: of the library, and whatever else is on the class path. */
    public static Fabrics installed() {
        List<EndpointProvider> found = new ArrayList<>();
        ServiceLoader.load(EndpointProvider.class, Fabrics.class.getClassLoader())
                .forEach(found::add);
        return new Fabrics(found);
    }

    /** Returns these and another provider, which is asked before them. */
    public Fabrics asking(EndpointProvider first) {
        List<EndpointProvider> more = new ArrayList<>();
        more.add(first);
        more.addAll(providers);
        return new Fabrics(more);
    }

    /**
     * Opens devices of one fabric. None of them is brought up yet.
     *
     * @param request names every device that is to take part, a third party's CMB too; without a
     *     file {@code emu:} devices are in the built-in fabric, as is everything when no device is
     *     named
     * @throws PeerlaneException of category REQUEST if they are not of one fabric or the file is
     *     not right, of category MACHINE if the fabric can't be opened or nobody knows its kind
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

    /** As {@link #open(OpenRequest)}, with time for everything. */
    public Endpoints open(@Nullable Path fabricFile, List<Locator> locators) {
        return open(new OpenRequest(fabricFile, locators, false));
    }

    private static PeerlaneException nobody(OpenRequest request) {
        if (request.fabricFile() != null) {
            return PeerlaneException.machine(
                    "unsupported-file",
                    "fabric file " + request.fabricFile() + " can't be opened: nothing reads it",
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
