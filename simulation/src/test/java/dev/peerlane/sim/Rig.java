package dev.peerlane.sim;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The driver's side of a world: its controllers, their CMBs, the ports of a copy. It closes what it
 * opens, and checks that nothing is left then.
 */
final class Rig {
    private static final int DEPTH = 32;

    private final EmulatedFabric fabric;
    private final WatchedFabric watched;
    private final List<String> locators;
    private final SlotLedger slots;
    private final MappingLedger mappings;
    private final Checkers checkers;
    private final Story story;
    private final Consumer<String> violation;
    private final List<Controller> controllers = new ArrayList<>();
    private final Map<Controller, ControllerMemoryBuffer> buffers = new HashMap<>();
    private final Map<String, Integer> known = new HashMap<>();

    /** Uses these drives of a fabric. */
    Rig(
            EmulatedFabric fabric,
            List<String> locators,
            SlotLedger slots,
            MappingLedger mappings,
            Checkers checkers,
            Story story,
            Consumer<String> violation) {
        this.fabric = fabric;
        this.locators = locators;
        this.slots = slots;
        this.mappings = mappings;
        this.checkers = checkers;
        this.story = story;
        this.violation = violation;
        watched = new WatchedFabric(fabric, mappings);
    }

    WatchedFabric fabric() {
        return watched;
    }

    /** Brings up all drives that are not up. */
    void open() {
        for (String locator : locators.subList(controllers.size(), locators.size())) {
            controllers.add(Controller.open(watched, locator, ControllerOptions.DEFAULTS));
        }
    }

    /** The ports of one copy. */
    static final class Ports {
        private final List<WatchedPort> ports = new ArrayList<>();
    }

    /** Observes the commands of a copy. */
    interface Watcher {
        /** Called when a command was posted. */
        void posted();

        /** Called before completions are polled, outside all other calls to the driver. */
        void polling();
    }

    /**
     * Opens the ports of a copy, and enables all CMBs.
     *
     * @param ports receives the ports
     */
    CopyRequest request(World.Copy copy, Ports ports, PhaseTracker phases, Watcher watcher) {
        Endpoint source = endpoint(copy, true, ports, phases, watcher);
        Endpoint target = endpoint(copy, false, ports, phases, watcher);
        return new CopyRequest(
                source,
                copy.source().offset() / source.port().limits().blockBytes(),
                target,
                copy.target().offset() / target.port().limits().blockBytes(),
                copy.bytes(),
                candidates(),
                List.of(),
                copy.options());
    }

    private Endpoint endpoint(
            World.Copy copy, boolean source, Ports ports, PhaseTracker phases, Watcher watcher) {
        World.Place place = source ? copy.source() : copy.target();
        Controller controller = controllers.get(place.drive());
        BlockPort port = controller.namespace(place.nsid()).port(DEPTH);
        int block = port.limits().blockBytes();
        boolean flushes = port.limits().canFlush();
        WatchedPort.Seen teller =
                new WatchedPort.Seen() {
                    @Override
                    public void posted(SlotLedger.Use use, long lba, int blocks) {
                        if (source && use == SlotLedger.Use.READ) {
                            phases.reading(lba * block - place.offset(), (long) blocks * block);
                        } else if (!source && use == SlotLedger.Use.WRITE) {
                            phases.writing();
                        }
                        watcher.posted();
                    }

                    @Override
                    public void ended(SlotLedger.Use use, long lba, int blocks) {
                        if (!source && use == SlotLedger.Use.WRITE) {
                            long from = lba * block - place.offset();
                            phases.written(from, (long) blocks * block, flushes);
                        }
                    }

                    @Override
                    public void flushed() {
                        phases.flushed();
                    }

                    @Override
                    public void polling() {
                        watcher.polling();
                    }
                };
        SlotLedger.Side side = new SlotLedger.Side(ports, controller.device().bdf());
        WatchedPort watchedPort = new WatchedPort(port, side, slots, teller, story::step);
        ports.ports.add(watchedPort);
        return new Endpoint(
                controller.locator(),
                controller.device().bdf(),
                controller.identity().sn(),
                controller.identity().mn(),
                place.nsid(),
                watchedPort);
    }

    /** Enables all CMBs, and returns those that can be used. */
    List<BufferCandidate> candidates() {
        List<BufferCandidate> candidates = new ArrayList<>();
        for (Controller controller : controllers) {
            try {
                ControllerMemoryBuffer cmb = controller.requireCmb();
                if (!cmb.isEnabled()) {
                    cmb.enable(mappings);
                }
                buffers.put(controller, cmb);
                candidates.add(
                        new BufferCandidate(controller.locator(), controller.device().bdf(), cmb));
            } catch (PeerlaneException e) {
                story.saw("no CMB: " + e.code());
                story.tell("no CMB: " + e.getMessage());
            }
        }
        return candidates;
    }

    /** Notes that a copy is over and has released its memory. */
    void ended(Ports ports) {
        slots.end(ports);
    }

    /** Closes the ports of a copy. */
    void close(Ports ports) {
        for (WatchedPort port : ports.ports) {
            try {
                port.close();
            } catch (PeerlaneException e) {
                story.tell("a port does not close: " + e.getMessage());
                if (checkers.happened().isEmpty()) {
                    violation.accept("a port does not close: " + e.getMessage());
                }
            }
        }
    }

    /** Checks that all of the CMBs is free when no copy runs. */
    void checkMemory() {
        buffers.forEach((controller, cmb) -> {
            if (cmb.isEnabled() && cmb.largestFreeBytes() != cmb.sizeBytes()) {
                violation.accept(controller.locator() + " has lost memory of its CMB");
            }
        });
    }

    /** Closes the controllers, and checks that nothing is left. */
    void close() {
        for (Controller controller : controllers) {
            controller.close();
            controller
                    .closeProblem()
                    .filter(problem -> checkers.happened().isEmpty())
                    .ifPresent(problem -> violation.accept("it did not close: " + problem));
        }
        controllers.clear();
        buffers.clear();
        mappings.checkEmpty();
        if (fabric.dmaAllocations() > 0) {
            violation.accept(fabric.dmaAllocations() + " pieces of DMA memory are left");
        }
        checkFabric();
    }

    private void checkFabric() {
        for (String locator : locators) {
            List<String> all = fabric.controller(locator).violations();
            int before = known.getOrDefault(locator, 0);
            known.put(locator, all.size());
            String name = locator.substring(DriveModel.LOCATOR_PREFIX.length());
            if (!checkers.met(name, Checkers.ENDS_QUEUES)) {
                all.stream().skip(before).forEach(v -> violation.accept(locator + ": " + v));
            }
        }
        checkers.checkRoutes(fabric.machine());
    }
}
