package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.FaultPlan;
import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.bus.LateWrites;
import dev.peerlane.emulator.bus.Occasion;
import dev.peerlane.emulator.media.Namespaces;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.MsixLayout;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.emulator.watch.ControllerStatistics;
import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Csts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An emulated NVMe controller: its life from enable to shutdown (NVMe Base 2.0, 3.5 and 3.6), and
 * all of its parts. It works only in {@link #step}, which the fabric's clock calls; writes to
 * registers and doorbells only latch.
 */
public final class NvmeController {
    private static final int MAX_TURNS_TO_CHANGE = 6;

    /** The states of the controller. */
    private enum State {
        DISABLED,
        ENABLING,
        READY,
        RESETTING,
        SHUTTING_DOWN,
        SHUT_DOWN,
        FATAL
    }

    private final EmulatedFunction function;
    private final Interconnect interconnect;
    private final FaultPlan faults;
    private final DriveModel drive;
    private final SplittableRandom random;
    private final HostSettings settings = new HostSettings();
    private final Cmb cmb;
    private final ControllerRegisters registers;
    private final Msix interrupts;
    private final ErrorLog errors = new ErrorLog();
    private final CommandCounts statistics = new CommandCounts();
    private final Namespaces namespaces;
    private final MediumPace pace;
    private final Violations violations = new Violations();
    private final LateWrites late;
    private final CommandEngine engine;
    private final FeatureTable features;
    private final AsyncEvents events;
    private final Queues queues;
    private final QueueCommands queueCommands;
    private final AdminCommands admin;
    private final NvmCommands nvm;
    private final LogPages logs;
    private final ShadowReader shadows;
    private final Doorbells doorbells;
    private @Nullable Fault strike;
    private State state = State.DISABLED;
    private boolean ready;
    private int turnsLeft;
    private long lastStepNanos;

    /** Creates the controller of a drive. It is disabled, and its media are open. */
    public NvmeController(
            EmulatedFunction function,
            Interconnect interconnect,
            AddressMap map,
            FaultPlan faults,
            Arena arena,
            SplittableRandom random) {
        this.function = function;
        this.interconnect = interconnect;
        this.faults = faults;
        this.drive = Objects.requireNonNull(function.drive());
        this.random = random;
        this.namespaces = new Namespaces(drive, arena);
        this.pace = new MediumPace(drive, random);
        this.cmb = new Cmb(function, drive.cmb(), faults);
        this.late = new LateWrites(function, interconnect, map, faults);
        DmaPort dma = new DmaPort(function, cmb, interconnect, late);
        Buffers buffers = new Buffers(arena, drive);
        Parts parts = new Parts();
        this.engine = new CommandEngine(parts, dma, buffers, random, statistics, faults);
        this.events = new AsyncEvents(engine);
        this.interrupts = new Msix(function, dma, drive);
        this.queues = new Queues(drive.ioQueues(), interrupts);
        this.features = new FeatureTable(drive, namespaces, queues);
        this.shadows = new ShadowReader(dma, drive, settings, this::fatal);
        this.doorbells = new Doorbells(parts, queues, shadows, statistics);
        boolean otherSets = namespaces.hasOtherCommandSets();
        this.registers = new ControllerRegisters(parts, drive, otherSets, settings, cmb, doorbells);
        this.queueCommands =
                new QueueCommands(
                        engine,
                        queues,
                        doorbells,
                        new QueueRules(settings, cmb, drive),
                        features,
                        interrupts);
        this.logs = new LogPages(errors, drive, arena);
        DataMoves moves =
                new DataMoves(
                        buffers,
                        new DataPlaces(dma, cmb, drive, settings),
                        new StraightMoves(dma, cmb));
        this.admin =
                new AdminCommands(
                        engine,
                        queueCommands,
                        new PageCommands(moves, new IdentifyPages(drive, namespaces), logs),
                        features,
                        events,
                        shadows);
        this.nvm = new NvmCommands(engine, moves, namespaces, features, logs, drive);
    }

    /** Returns the statistics of this controller. */
    public ControllerStatistics statistics() {
        return statistics;
    }

    /** Returns what the host did against the specification. */
    public List<String> violations() {
        return violations.first();
    }

    /** Returns the present number of I/O submission queues. */
    public int ioQueues() {
        return queues.ioQueues();
    }

    /** Returns whether CSTS.RDY is set. */
    public boolean isReady() {
        return ready;
    }

    /** Returns a copy of the CMB's bytes, empty if there is no CMB. */
    public byte[] cmbBytes() {
        return cmb.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Also reads the doorbells of the queues from memory that a host writes. */
    public void watchDoorbells(MemorySegment memory) {
        int pairs = drive.ioQueues() + 1;
        doorbells.watch(new DoorbellMemory(memory, pairs, drive.doorbellStride()));
    }

    /** Delivers MSI-X messages to a receiver instead of the bus. */
    public void interruptReceiver(IntConsumer receiver) {
        interrupts.receiver(receiver);
    }

    /** Returns the number of MSI-X vectors. */
    public int interruptVectors() {
        return interrupts.vectors();
    }

    /** Sets or clears the Mask Bit of a vector. */
    public void maskInterrupt(int vector, boolean masked) {
        interrupts.mask(vector, masked);
    }

    /** Takes note of a change in a configuration space. */
    public void configWritten() {
        cmb.refresh();
        interrupts.configWritten();
    }

    /** Returns the registers at the start of a BAR. */
    public RegisterBlock registers(int bar) {
        return bar == MsixLayout.bar(drive) ? interrupts : registers;
    }

    private int csts() {
        int shst =
                switch (state) {
                    case SHUTTING_DOWN -> Csts.SHST_OCCURRING;
                    case SHUT_DOWN -> Csts.SHST_COMPLETE;
                    default -> Csts.SHST_NORMAL;
                };
        return new Csts(0).withRdy(ready).withCfs(state == State.FATAL).withShst(shst).raw();
    }

    /** Handles a write to CC. */
    private void configured(int before, int after) {
        Cc old = new Cc(before);
        Cc now = new Cc(after);
        if (now.en() && !old.en()) {
            if (state == State.RESETTING) {
                violations.add("CC.EN was set before CSTS.RDY was 0");
            }
            ready = false;
            enter(State.ENABLING);
            return;
        }
        if (!now.en() && old.en()) {
            reset();
            if (ready) {
                enter(State.RESETTING);
            } else {
                state = State.DISABLED;
            }
            return;
        }
        boolean asked = now.shn() == Cc.SHN_NORMAL || now.shn() == Cc.SHN_ABRUPT;
        if (asked && old.shn() != now.shn() && state != State.FATAL) {
            enter(State.SHUTTING_DOWN);
        }
    }

    /** Removes all faults and repairs what they have left behind. */
    public void repair() {
        faults.disarm();
        engine.repair();
        cmb.repair();
        if (function.isGone()) {
            function.putBack();
            functionReset();
        }
    }

    /** Returns the namespaces. */
    public Namespaces namespaces() {
        return namespaces;
    }

    /** Returns the fault plan. */
    public FaultPlan faults() {
        return faults;
    }

    /** Applies a Function Level Reset. */
    public void functionReset() {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.reset(function.bdf());
        }
        reset();
        registers.functionReset();
        interrupts.functionReset();
        ready = false;
        state = State.DISABLED;
    }

    /**
     * Does a bounded amount of work.
     *
     * @return when there is more to do: {@code now} for at once, {@link Long#MAX_VALUE} for never
     */
    public long step(long now) {
        Fault sudden = faults.next(Occasion.TURN);
        if (sudden != null) {
            strike(sudden);
        }
        return Math.min(late.step(now), live(now));
    }

    private long live(long now) {
        long elapsed = now - lastStepNanos;
        lastStepNanos = now;
        switch (state) {
            case DISABLED, SHUT_DOWN, FATAL -> {
                return Long.MAX_VALUE;
            }
            case ENABLING, RESETTING, SHUTTING_DOWN -> {
                if (--turnsLeft <= 0) {
                    arrive();
                }
                return now;
            }
            case READY -> {
                if (!function.masters()) {
                    return Long.MAX_VALUE;
                }
                doorbells.lookAtMemory();
                boolean busy = statistics.inFlight() > 0;
                if (busy) {
                    logs.busy(elapsed);
                }
                boolean looking = doorbells.lookAtShadows(busy);
                long next =
                        engine.step(
                                queues.submissionQueues(),
                                queues.limit(),
                                features.arbitrationBurst(),
                                now);
                struck();
                if (state != State.READY) {
                    return Long.MAX_VALUE;
                }
                queueCommands.step();
                events.step();
                interrupts.send();
                return looking ? now : next;
            }
        }
        throw new AssertionError(state);
    }

    /**
     * Closes the controller because its fabric could not be made, and deletes files that were made
     * for it.
     */
    public void undo() {
        namespaces.undo();
    }

    /** Closes the media. The controller does nothing more. */
    public void close() {
        namespaces.close();
        state = State.DISABLED;
    }

    /** Applies faults of the whole controller, while no command is in the middle of a step. */
    private void struck() {
        Fault fault = strike;
        strike = null;
        if (fault != null) {
            strike(fault);
        }
    }

    private void strike(Fault fault) {
        switch (fault.kind()) {
            case FATAL -> state = State.FATAL;
            case RESET, SUDDEN_RESET -> functionReset();
            case SUDDEN_DISABLE -> disable();
            case GONE, SUDDEN_REMOVAL -> function.pullOut();
            default -> cmb.withdrawData();
        }
    }

    /** Clears CC.EN on behalf of someone other than the host. */
    private void disable() {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.reset(function.bdf());
        }
        registers.disable();
    }

    private void fatal(String what) {
        violations.add(what);
        state = State.FATAL;
    }

    private void enter(State next) {
        state = next;
        turnsLeft = 1 + random.nextInt(MAX_TURNS_TO_CHANGE);
    }

    private void arrive() {
        switch (state) {
            case ENABLING -> enable();
            case RESETTING -> {
                ready = false;
                state = State.DISABLED;
            }
            default -> {
                namespaces.flush(logs::mediaError);
                state = State.SHUT_DOWN;
            }
        }
    }

    private void enable() {
        String refusal = EnableCheck.of(registers);
        if (refusal == null && !createAdmin()) {
            refusal = "enabled with ASQ %xh, ACQ %xh".formatted(registers.asq(), registers.acq());
        }
        if (refusal != null) {
            fatal(refusal);
            return;
        }
        ready = true;
        state = State.READY;
    }

    private boolean createAdmin() {
        Aqa aqa = new Aqa(registers.aqa());
        return queueCommands.createAdmin(
                registers.asq(), aqa.submissionEntries(), registers.acq(), aqa.completionEntries());
    }

    private void reset() {
        late.drain();
        engine.reset();
        events.reset();
        queueCommands.reset();
        engine.settle();
        features.reset();
        shadows.reset();
        interrupts.forget();
        pace.reset();
    }

    /** What the parts of the controller require of it. */
    private final class Parts
            implements CommandEngine.Host, Doorbells.Host, ControllerRegisters.Host {
        @Override
        public CommandSetHandler handler(Command command) {
            return command.isAdmin() ? admin : nvm;
        }

        @Override
        public long dueNanos(Command command, long now) {
            return pace.dueNanos(command, namespaces, now);
        }

        @Override
        public void ending(Command command) {
            errors.note(command);
        }

        @Override
        public void struck(Fault fault) {
            strike = fault;
        }

        @Override
        public void fatal(String what) {
            NvmeController.this.fatal(what);
        }

        @Override
        public boolean takesDoorbells() {
            return state == State.READY || state == State.SHUTTING_DOWN;
        }

        @Override
        public void invalidDoorbell(int info) {
            errors.add(ErrorLog.NONE, ErrorLog.NONE, 0, 0, 0);
            events.raise(AsyncEvents.doorbell(info));
        }

        @Override
        public void violation(String what) {
            violations.add(what);
        }

        @Override
        public int csts() {
            return NvmeController.this.csts();
        }

        @Override
        public void configured(int before, int after) {
            NvmeController.this.configured(before, after);
        }

        @Override
        public int commandsInFlight() {
            return statistics.inFlight();
        }

        @Override
        public void stored(long offset, long value, int width) {
            BusWatch watch = interconnect.watch();
            if (watch != null) {
                watch.stored(function.bdf(), offset, value, width);
            }
        }
    }
}
