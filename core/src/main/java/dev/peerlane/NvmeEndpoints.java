package dev.peerlane;

import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.pci.Machine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Namespaces of the NVMe controllers of one fabric, driven by this library. A controller is brought
 * up when it is first asked for, and shut down by {@link #close}. Owned by the thread that made it;
 * calls from other threads are rejected before they have any effect.
 */
final class NvmeEndpoints extends Endpoints implements NvmeControllers {
    private final OwnerThread thread = new OwnerThread();
    private final Fabric fabric;
    private final Surroundings surroundings;
    private final ControllerOptions options;
    private final @Nullable Path records;
    private final Map<String, Controller> controllers = new LinkedHashMap<>();

    /**
     * Creates endpoints over a fabric, and takes ownership of the fabric. Nothing is opened yet. If
     * the devices outlive this process, files record which parts of their CMBs are in use ({@link
     * Controller#recordCmbUse}).
     *
     * @param options timeouts and limits for every controller
     */
    NvmeEndpoints(Fabric fabric, ControllerOptions options) {
        this.fabric = fabric;
        this.options = options;
        records = fabric.traits().state();
        surroundings = Surroundings.of(fabric);
    }

    @Override
    public Fabric fabric() {
        return fabric;
    }

    @Override
    public String kind() {
        return fabric.kind();
    }

    @Override
    public List<String> locators() {
        return fabric.locators();
    }

    @Override
    public Machine machine() {
        return fabric.machine();
    }

    @Override
    public FabricTraits traits() {
        return fabric.traits();
    }

    @Override
    public Clock clock() {
        return surroundings.clock();
    }

    @Override
    public HostMemory hostMemory() {
        return surroundings.hostMemory();
    }

    @Override
    public OptionalLong hostDataBytes() {
        return surroundings.hostDataBytes();
    }

    @Override
    public Optional<NvmeControllers> controllers() {
        return Optional.of(this);
    }

    @Override
    public Controller controller(String locator) {
        checkThread();
        Controller known = controllers.get(locator);
        if (known == null) {
            known = Controller.open(fabric, locator, options);
            controllers.put(locator, known);
            adopt(known);
        }
        return known;
    }

    private void adopt(Controller controller) {
        if (records == null) {
            return;
        }
        try {
            controller.recordCmbUse(records, fabric.dma());
        } catch (RuntimeException e) {
            controllers.remove(controller.locator());
            controller.close();
            throw e;
        }
    }

    @Override
    public Namespace namespace(Extent extent) {
        checkThread();
        Controller controller = controller(extent.device());
        Integer nsid = extent.nsid();
        if (nsid != null) {
            return controller.namespace(nsid);
        }
        int[] active = controller.activeNamespaces();
        if (active.length == 1) {
            return controller.namespace(active[0]);
        }
        String there =
                active.length == 0
                        ? "none"
                        : Arrays.stream(active)
                                .mapToObj(n -> "n" + n)
                                .collect(Collectors.joining(", "));
        throw PeerlaneException.request(
                "which-namespace",
                "%s has %d active namespaces (%s), and none is named"
                        .formatted(extent.device(), active.length, there),
                "Name one, such as " + extent.device() + "/n1");
    }

    @Override
    public Endpoint endpoint(Extent extent, int depth) {
        Namespace namespace = namespace(extent);
        namespace.checkUsable();
        return endpoint(namespace, depth);
    }

    /** Opens a port of its own to a namespace. The caller closes the port. */
    static Endpoint endpoint(Namespace namespace, int depth) {
        BlockPort port = namespace.port(depth);
        return new Endpoint(
                namespace.device().locator(),
                namespace.device().bdf(),
                namespace.controllerIdentity().sn(),
                namespace.controllerIdentity().mn(),
                namespace.nsid(),
                port);
    }

    @Override
    public BufferCandidate memory(String locator) {
        ControllerMemoryBuffer cmb = cmb(locator);
        return new BufferCandidate(locator, controller(locator).device().bdf(), cmb);
    }

    @Override
    public ControllerMemoryBuffer cmb(String locator) {
        checkThread();
        ControllerMemoryBuffer cmb = controller(locator).requireCmb();
        if (!cmb.isEnabled()) {
            cmb.enable(fabric.dma());
        }
        return cmb;
    }

    private void checkThread() {
        thread.check(this);
    }

    /** Returns the name that messages use. */
    @Override
    public String toString() {
        return "the session on " + fabric.locators();
    }

    /** Shuts down every controller and closes the fabric, even if one of them fails. */
    @Override
    public void close() {
        checkThread();
        List<AutoCloseable> all = new ArrayList<>(controllers.values());
        all.add(fabric);
        controllers.clear();
        Closing.all(all);
    }
}
