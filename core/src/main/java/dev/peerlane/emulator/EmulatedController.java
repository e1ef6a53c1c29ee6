package dev.peerlane.emulator;

import dev.peerlane.spec.Aqa;
import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Cc;
import dev.peerlane.spec.Cmbmsc;
import dev.peerlane.spec.Csts;
import dev.peerlane.spec.NvmCommand;
import dev.peerlane.spec.Sqe;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.Vs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An NVMe controller: its life from enable to shutdown (NVMe Base 2.0, 3.5 and 3.6), and everything
 * it is made of. It moves only in {@link #step}, which the fabric's clock calls; register and
 * doorbell writes latch.
 *
 * <p>Public for its view of things: {@link #statistics()} and {@link #violations()}. Used by the
 * thread that owns the fabric; others are refused before they have done anything.
 */
public final class EmulatedController {
    private static final int MAX_VIOLATIONS = 64;
    private static final int MPS_MAX = 4;
    private static final int TIMEOUT_UNITS = 20;
    private static final int MAX_TURNS_TO_CHANGE = 6;
    private static final int MDTS_UNIT_BYTES = 4096;

    /** Where it is in its life. */
    private enum State {
        DISABLED,
        ENABLING,
        READY,
        RESETTING,
        SHUTTING_DOWN,
        SHUT_DOWN,
        FATAL
    }

    private final FabricOwner owner;
    private final EmulatedFunction function;
    private final Interconnect interconnect;
    private final FaultPlan faults;
    private final DriveSpec drive;
    private final SplittableRandom random;
    private final Arena arena;
    private final Vs version;
    private final Cmb cmb;
    private final Registers registers;
    private final Msix interrupts;
    private final ErrorLog errors = new ErrorLog();
    private final ControllerStatistics statistics = new ControllerStatistics();
    private final Namespaces namespaces;
    private final MediumPace pace;
    private final List<String> violations = new ArrayList<>();
    private final LateWrites late;
    private final CommandEngine engine;
    private final FeatureTable features;
    private final AsyncEvents events;
    private final QueueCommands queues;
    private final AdminCommands admin;
    private final NvmCommands nvm;
    private final LogPages logs;
    private final ShadowDoorbells shadows;
    private @Nullable Fault strike;
    private State state = State.DISABLED;
    private boolean ready;
    private int turnsLeft;
    private long lastStepNanos;
    private int pageBytes = new Cc(0).pageBytes();
    private @Nullable MemorySegment scratch;
    private @Nullable DoorbellMemory doorbells;

    EmulatedController(
            FabricOwner owner,
            EmulatedFunction function,
            DriveSpec drive,
            Interconnect interconnect,
            AddressMap map,
            FaultPlan faults,
            Arena arena,
            SplittableRandom random) {
        this.owner = owner;
        this.function = function;
        this.interconnect = interconnect;
        this.faults = faults;
        this.drive = drive;
        this.random = random;
        this.arena = arena;
        CmbSpec cmbSpec = drive.cmb();
        this.version = cmbSpec == null ? Vs.of(1, 4, 0) : cmbSpec.version().vs();
        this.namespaces = new Namespaces(drive, arena);
        this.pace = new MediumPace(drive, random);
        this.cmb = new Cmb(function, cmbSpec, faults);
        this.registers = new Registers(this, cmb, capabilities());
        this.late = new LateWrites(function, interconnect, map, faults);
        DmaPort dma = new DmaPort(function, cmb, interconnect, late);
        long bufferBytes = drive.mdts() == 0 ? 1 << 20 : maxTransferBytes();
        this.engine =
                new CommandEngine(
                        new EngineHost(), dma, arena, bufferBytes, random, statistics, faults);
        this.features = new FeatureTable(this, drive);
        this.events = new AsyncEvents(engine);
        this.interrupts = new Msix(function.config(), dma, drive);
        this.queues = new QueueCommands(this, engine, features, cmb, interrupts, drive);
        this.shadows = new ShadowDoorbells(dma, drive.ioQueues() + 1, drive.doorbellStride());
        this.logs = new LogPages(errors, drive, arena);
        PrpWalker prps = new PrpWalker(dma, cmb);
        IdentifyPages identify = new IdentifyPages(this, drive);
        this.admin =
                new AdminCommands(
                        this, engine, prps, queues, identify, logs, features, events, drive);
        SglWalker sgls = new SglWalker(dma, cmb, drive.sgls() == DriveSpec.Sgls.DWORDS);
        StraightMoves straight = new StraightMoves(dma, cmb);
        this.nvm = new NvmCommands(this, engine, straight, prps, sgls, features, logs, drive);
    }

    /** Returns what it did so far. */
    public ControllerStatistics statistics() {
        return statistics;
    }

    /**
     * Returns what the host did that the specification forbids, in words, the first 64 of them.
     * Nothing here is an error of a command: those end with a status.
     */
    public List<String> violations() {
        owner.check();
        return List.copyOf(violations);
    }

    /** Returns how many I/O submission queues there are now. */
    public int ioQueues() {
        int count = 0;
        for (int qid = 1; qid < queues.submissionQueues().length; qid++) {
            count += queues.submissionQueue(qid) == null ? 0 : 1;
        }
        return count;
    }

    /** Returns whether CSTS.RDY is set. */
    public boolean isReady() {
        return ready;
    }

    /**
     * Returns the bytes of a namespace's medium, its cache included, past all commands.
     *
     * @throws IllegalArgumentException if there is no such namespace
     */
    public byte[] medium(int nsid) {
        owner.check();
        return namespaces.content(nsid);
    }

    /** Returns a copy of the bytes of the CMB, of none where there is no CMB, past all fabrics. */
    public byte[] cmbBytes() {
        owner.check();
        return cmb.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Makes bytes the beginning of a namespace's medium, past all commands. */
    public void medium(int nsid, byte[] bytes) {
        owner.check();
        namespaces.content(nsid, bytes);
    }

    /**
     * Has the doorbells of its queues read from memory that a host writes, beside those that are
     * written to the BAR: looked at in every turn, so a value counts once and later than the store.
     *
     * @param memory what is at 1000h of BAR 0 and behind; as long as the doorbells or longer,
     *     aligned to 4, there until the fabric is closed
     */
    public void watchDoorbells(MemorySegment memory) {
        owner.check();
        doorbells = new DoorbellMemory(memory, drive.ioQueues() + 1, drive.doorbellStride());
    }

    /**
     * Has its messages of MSI-X told to somebody instead of sent to the bus. Enable, Function Mask
     * and the masks of the vectors count as they do for those that are sent; a Function Level Reset
     * leaves the masks of the vectors.
     *
     * @param receiver is given the vector, on the thread that owns the fabric
     */
    public void interruptReceiver(IntConsumer receiver) {
        owner.check();
        interrupts.receiver(receiver);
    }

    /** Returns how many vectors its MSI-X has. */
    public int interruptVectors() {
        return interrupts.vectors();
    }

    /** Sets or clears the Mask Bit of a vector, as a store to Vector Control does. */
    public void maskInterrupt(int vector, boolean masked) {
        owner.check();
        interrupts.mask(vector, masked);
    }

    // What its parts and the fabric ask of it.

    /** A configuration space has changed. */
    void configWritten() {
        cmb.refresh();
        interrupts.configWritten();
    }

    /** Returns what is at the start of a BAR. */
    RegisterBlock registers(int bar) {
        return bar == Msix.bar(drive) ? interrupts : registers;
    }

    /** A queue begins with doorbell 0, whatever the one before it left behind. */
    void queueCreated(int qid, boolean completion) {
        if (doorbells != null) {
            doorbells.clear(qid, completion);
        }
        shadows.queueCreated(qid, completion);
    }

    ShadowDoorbells shadows() {
        return shadows;
    }

    /** Memory that it needs can't be reached. */
    void outOfReach(String what) {
        fatal(what + " is out of reach");
    }

    Cmb cmb() {
        return cmb;
    }

    Vs version() {
        return version;
    }

    int namespaceCount() {
        return namespaces.count();
    }

    @Nullable EmulatedNamespace namespace(int nsid) {
        return namespaces.get(nsid);
    }

    boolean hasOtherCommandSets() {
        return namespaces.hasOtherCommandSets();
    }

    boolean hasIoQueues() {
        return queues.hasIoQueues();
    }

    long maxTransferBytes() {
        return drive.mdts() == 0 ? Long.MAX_VALUE : (long) MDTS_UNIT_BYTES << drive.mdts();
    }

    /** Returns CC.IOSQES, or 0 if it is not what the NVM Command Set needs. */
    int submissionBytes() {
        int iosqes = new Cc(registers.cc()).iosqes();
        return iosqes == Cc.IOSQES_NVM ? iosqes : 0;
    }

    /** Returns CC.IOCQES, or 0 if it is not what the NVM Command Set needs. */
    int completionBytes() {
        int iocqes = new Cc(registers.cc()).iocqes();
        return iocqes == Cc.IOCQES_NVM ? iocqes : 0;
    }

    /** Returns memory for one moment, at least this long. */
    MemorySegment scratch(long bytes) {
        MemorySegment memory = scratch;
        if (memory == null || memory.byteSize() < bytes) {
            memory = arena.allocate(bytes, 64);
            scratch = memory;
        }
        return memory;
    }

    void violation(String what) {
        if (violations.size() < MAX_VIOLATIONS) {
            violations.add(what);
        }
    }

    int csts() {
        int shst =
                switch (state) {
                    case SHUTTING_DOWN -> Csts.SHST_OCCURRING;
                    case SHUT_DOWN -> Csts.SHST_COMPLETE;
                    default -> Csts.SHST_NORMAL;
                };
        return new Csts(0).withRdy(ready).withCfs(state == State.FATAL).withShst(shst).raw();
    }

    /** CMBMSC was written, or a half of it. */
    void spaceControlWritten(long value) {
        if (!cmb.hasSpaceControl()) {
            violation("CMBMSC was written though CAP.CMBS is 0");
            return;
        }
        Cmbmsc before = new Cmbmsc(cmb.spaceControl());
        Cmbmsc after = new Cmbmsc(value);
        if (before.cmse() && after.cmse() && before.cba() != after.cba()) {
            violation("CMBMSC.CBA was changed while CMSE is 1");
        }
        if (before.cmse() && statistics.inFlight() > 0) {
            violation("CMBMSC was written with commands in flight");
        }
        cmb.storeSpaceControl(value);
    }

    /** CC was written. */
    void configured(int before, int after) {
        Cc old = new Cc(before);
        Cc now = new Cc(after);
        pageBytes = now.pageBytes();
        if (now.en() && !old.en()) {
            if (state == State.RESETTING) {
                violation("CC.EN was set before CSTS.RDY was 0");
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

    /** A store of the host has come through. */
    void stored(long offset, long value, int width) {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.stored(function.bdf(), offset, value, width);
        }
    }

    /** Faults that have not happened won't, and what those that have left behind is mended. */
    void repair() {
        faults.disarm();
        engine.repair();
        cmb.repair();
        if (function.isGone()) {
            function.putBack();
            functionReset();
        }
    }

    FaultPlan faults() {
        return faults;
    }

    /** Function Level Reset. */
    void functionReset() {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.reset(function.bdf());
        }
        reset();
        registers.functionReset();
        interrupts.functionReset();
        pageBytes = new Cc(0).pageBytes();
        ready = false;
        state = State.DISABLED;
    }

    /** A doorbell was written. */
    void doorbell(int qid, boolean completion, int value) {
        statistics.doorbell();
        if (state != State.READY && state != State.SHUTTING_DOWN) {
            violation("doorbell of queue %d was written while not ready".formatted(qid));
            return;
        }
        if (shadows.has(qid)) {
            shadows.wake();
        } else {
            moved(qid, completion, value);
        }
    }

    /** A tail or a head was moved, by a register or in memory. */
    void moved(int qid, boolean completion, int value) {
        if (completion) {
            CompletionQueue queue = queues.completionQueue(qid);
            if (queue == null || !queue.ring(value)) {
                badDoorbell(queue == null, "completion queue " + qid, value);
            } else {
                queues.taken(queue);
            }
            return;
        }
        SubmissionQueue queue = queues.submissionQueue(qid);
        if (queue == null || !queue.ring(value)) {
            badDoorbell(queue == null, "submission queue " + qid, value);
        }
    }

    private void badDoorbell(boolean absent, String queue, int value) {
        if (absent) {
            badDoorbell(AsyncEvent.ERROR_INVALID_DOORBELL, "there is no " + queue);
        } else {
            badDoorbell(AsyncEvent.ERROR_INVALID_DOORBELL_VALUE, queue + " can't take " + value);
        }
    }

    /** A doorbell write made no sense: an event of type Error (NVMe Base 2.0, figure 146). */
    void badDoorbell(int info, String what) {
        violation("invalid doorbell: " + what);
        errors.add(ErrorLog.NONE, ErrorLog.NONE, 0, 0, 0);
        events.raise(AsyncEvents.doorbell(info));
    }

    /**
     * Lets it move a little.
     *
     * @return when there is more to do: {@code now} for at once, {@link Long#MAX_VALUE} for never
     */
    long step(long now) {
        Fault sudden = faults.next(Fault.Occasion.TURN);
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
                if (doorbells != null) {
                    doorbells.look(this, queues);
                }
                boolean busy = statistics.inFlight() > 0;
                if (busy) {
                    logs.busy(elapsed);
                }
                boolean looking = shadows.look(this, queues, busy);
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
                queues.step();
                events.step();
                interrupts.send();
                return looking ? now : next;
            }
        }
        throw new AssertionError(state);
    }

    /** Closes it because its fabric could not be made: files that were made for it go, too. */
    void undo() {
        namespaces.undo();
    }

    void close() {
        namespaces.close();
        state = State.DISABLED;
    }

    /** Returns the host's page size; kept, since every command asks. */
    int pageBytes() {
        return pageBytes;
    }

    /** What befalls the whole controller, when no command is in the middle of a step. */
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

    /** CC.EN is cleared, though not by its host. */
    private void disable() {
        BusWatch watch = interconnect.watch();
        if (watch != null) {
            watch.reset(function.bdf());
        }
        registers.disable();
    }

    private void fatal(String what) {
        violation(what);
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
                namespaces.flush(logs);
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
        return queues.createAdmin(
                registers.asq(), aqa.submissionEntries(), registers.acq(), aqa.completionEntries());
    }

    private void reset() {
        late.drain();
        engine.reset();
        events.reset();
        queues.reset();
        engine.settle();
        features.reset();
        shadows.reset();
        interrupts.forget();
        pace.reset();
    }

    private Cap capabilities() {
        int sets = Cap.CSS_NVM | (hasOtherCommandSets() ? Cap.CSS_IOCS : 0);
        return new Cap(0)
                .withMqesZ(drive.maxQueueEntries() - 1)
                .withCqr(true)
                .withTo(TIMEOUT_UNITS)
                .withDstrd(drive.doorbellStride())
                .withCss(sets)
                .withMpsmax(MPS_MAX)
                .withCmbs(cmb.hasSpaceControl());
    }

    /** What the engine asks of it. */
    private final class EngineHost implements CommandEngine.Host {
        @Override
        public CommandSetHandler handler(Command command) {
            return command.isAdmin() ? admin : nvm;
        }

        @Override
        public int pageBytes() {
            return EmulatedController.this.pageBytes();
        }

        @Override
        public long dueNanos(Command command, long now) {
            return pace.dueNanos(command, namespaces, now);
        }

        @Override
        public void ending(Command command) {
            int status = command.status();
            if (Status.code(status) == Status.SUCCESS) {
                return;
            }
            boolean io = !command.isAdmin();
            MemorySegment sqe = command.sqe();
            long lba = io ? NvmCommand.slba(Sqe.cdw10(sqe, 0), Sqe.cdw11(sqe, 0)) : 0;
            command.end(status | Status.MORE);
            errors.add(command.queue().qid(), command.cid(), command.status(), lba, command.nsid());
        }

        @Override
        public void struck(Fault fault) {
            strike = fault;
        }

        @Override
        public void fatal(String what) {
            EmulatedController.this.fatal(what);
        }
    }
}
