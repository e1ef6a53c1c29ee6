package dev.peerlane.sim;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Observes the bus, and passes what it sees to the checkers, each of which keeps its own record: of
 * slots, mappings, queues, routes.
 */
final class Checkers implements BusWatch {
    /** Faults in which a controller itself violates the queue protocol. */
    private static final Set<Fault.Kind> BREAK_THE_PROTOCOL =
            EnumSet.of(
                    Fault.Kind.DUPLICATE_COMPLETION,
                    Fault.Kind.FORGED_COMPLETION,
                    Fault.Kind.WRONG_CID,
                    Fault.Kind.WRONG_PHASE);

    /** Faults that delete queues without the host's knowledge. */
    static final Set<Fault.Kind> ENDS_QUEUES =
            EnumSet.of(
                    Fault.Kind.RESET,
                    Fault.Kind.FATAL,
                    Fault.Kind.GONE,
                    Fault.Kind.SUDDEN_RESET,
                    Fault.Kind.SUDDEN_DISABLE,
                    Fault.Kind.SUDDEN_REMOVAL);

    /** Faults after which a drive moves no more data, because it is gone. */
    private static final Set<Fault.Kind> REMOVES =
            EnumSet.of(Fault.Kind.GONE, Fault.Kind.SUDDEN_REMOVAL);

    private final SlotLedger slots;
    private final MappingLedger mappings;
    private final Map<Bdf, QueueAnalyzer> queues = new HashMap<>();
    private final Map<String, Bdf> drives = new HashMap<>();
    private final Set<Flow> flows = new LinkedHashSet<>();
    private final List<Fault> happened = new ArrayList<>();
    private final Consumer<Fault> onFault;
    private final Consumer<String> violation;
    private boolean staleMayMove;

    private record Flow(Bdf initiator, Bdf owner, boolean read) {}

    /**
     * Creates an observer that passes events to these checkers.
     *
     * @param onFault called with every fault that happens
     */
    Checkers(
            SlotLedger slots,
            MappingLedger mappings,
            Consumer<Fault> onFault,
            Consumer<String> violation) {
        this.slots = slots;
        this.mappings = mappings;
        this.onFault = onFault;
        this.violation = violation;
    }

    /** Adds a controller whose queues are followed. */
    void drive(String name, Bdf bdf, int doorbellStride) {
        drives.put(name, bdf);
        queues.put(
                bdf,
                new QueueAnalyzer(
                        name,
                        doorbellStride,
                        what -> {
                            // the host can't know at once that the controller was reset
                            if (!(what.contains("does not exist") && met(name, ENDS_QUEUES))) {
                                violation.accept(what);
                            }
                        },
                        what -> {
                            if (!met(name, BREAK_THE_PROTOCOL)) {
                                violation.accept(what);
                            }
                        }));
    }

    /** Returns whether a fault of one of these kinds has happened at a drive. */
    boolean met(String drive, Set<Fault.Kind> kinds) {
        for (Fault fault : happened) {
            if (drive.equals(fault.drive()) && kinds.contains(fault.kind())) {
                return true;
            }
        }
        return false;
    }

    /** Returns the faults since {@link #forget}, one entry for each time. */
    List<Fault> happened() {
        return happened;
    }

    /** Discards the faults that happened so far. */
    void forget() {
        happened.clear();
        staleMayMove = false;
        slots.forgetLateData();
    }

    /** Allows data to arrive late from now on: no fence stands between completion and data. */
    void staleMayMove() {
        staleMayMove = true;
    }

    /** Checks that the traffic between drives took permitted routes. */
    void checkRoutes(Machine machine) {
        for (Flow flow : flows) {
            Route route = Route.between(machine, flow.initiator(), flow.owner());
            Verdict verdict = flow.read() ? route.peerReads() : route.peerWrites();
            if (!verdict.allowed()) {
                violation.accept("%s, which is %s".formatted(flow, verdict.words()));
            }
        }
        flows.clear();
    }

    @Override
    public void moved(
            Bdf initiator,
            @Nullable Bdf owner,
            long address,
            long bytes,
            Direction direction,
            boolean ioData) {
        boolean read = direction == Direction.READ;
        if (!(ioData && staleMayMove)) {
            mappings.moved(initiator, address, bytes, read);
            if (ioData) {
                slots.moved(initiator, address, bytes, read);
            }
        }
        if (owner != null && !owner.equals(initiator)) {
            flows.add(new Flow(initiator, owner, read));
        }
    }

    @Override
    public void stored(Bdf controller, long offset, long value, int width) {
        analyzer(controller).stored(offset, value, width);
        if (offset == Reg.CC && new Cc((int) value).en()) {
            slots.enabled(controller);
        } else if (offset == Reg.CC) {
            slots.reset(controller);
        }
    }

    @Override
    public void shadowed(Bdf controller, long offset, int value) {
        analyzer(controller).shadowed(offset, value);
    }

    @Override
    public void fetched(Bdf controller, int qid, long address, MemorySegment sqe) {
        analyzer(controller).fetched(qid, address, sqe);
    }

    @Override
    public void posted(Bdf controller, long address, MemorySegment cqe) {
        analyzer(controller).posted(address, cqe);
    }

    @Override
    public void reset(Bdf controller) {
        analyzer(controller).reset();
        slots.reset(controller);
    }

    @Override
    public void happens(Fault fault) {
        happened.add(fault);
        if (REMOVES.contains(fault.kind())) {
            slots.gone(Objects.requireNonNull(drives.get(fault.drive())));
        }
        if (fault.kind() == Fault.Kind.LATE_DATA) {
            slots.lateData(Objects.requireNonNull(drives.get(fault.drive())));
        }
        onFault.accept(fault);
    }

    private QueueAnalyzer analyzer(Bdf controller) {
        return Objects.requireNonNull(queues.get(controller));
    }
}
