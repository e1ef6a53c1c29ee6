package dev.peerlane.emulator.controller;

import dev.peerlane.emulator.bus.FaultPlan;
import dev.peerlane.emulator.bus.Interconnect;
import dev.peerlane.emulator.bus.Reads;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sqe;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Executes commands, a bounded amount per turn. Commands are fetched round robin from the queues,
 * and wait until they are due. They move their data in pieces that interleave with those of other
 * commands, or in runs if the fabric says so. They complete in the order in which they end, and
 * wait while their completion queue is full.
 */
final class CommandEngine {
    private static final int MAX_COMMANDS = 1024;
    private static final int ADMIN_RESERVE = 64;
    private static final int MAX_MOVING = 64;
    private static final int FETCHES_A_TURN = 64;
    private static final int STEPS_A_TURN = 64;
    private static final long BYTES_A_TURN = 512 << 10;
    private static final int PIECES_A_STEP = 16;
    private static final long BYTES_A_STEP = 1 << 20;

    /** What the engine requires of its controller. */
    interface Host {
        CommandSetHandler handler(Command command);

        /** Returns the time at which a command that was fetched now may begin. */
        long dueNanos(Command command, long now);

        /** Called before a command is completed; may change its status. */
        void ending(Command command);

        /** Called when a fault of the whole controller happens. */
        void struck(Fault fault);

        /** Called when a queue can't be reached. */
        void fatal(String what);
    }

    private final Host host;
    private final DmaPort dma;
    private final Buffers buffers;
    private final SplittableRandom random;
    private final CommandCounts statistics;
    private final ArrayDeque<Command> free = new ArrayDeque<>();
    private final List<Command> waiting = new ArrayList<>();
    private final List<Command> moving = new ArrayList<>();
    private final ArrayDeque<Command> fetching = new ArrayDeque<>();
    private final List<Command> listing = new ArrayList<>();
    private final List<Command> reading = new ArrayList<>();
    private final ArrayDeque<Command> blocked = new ArrayDeque<>();
    private final FaultyCommands faulty;

    /** A field, so that a turn allocates nothing */
    private final Consumer<Command> delivery = this::deliver;

    private int commands;
    private boolean worked;
    private long bytesOfTurn;
    private int nextQueue;

    CommandEngine(
            Host host,
            DmaPort dma,
            Buffers buffers,
            SplittableRandom random,
            CommandCounts statistics,
            FaultPlan faults) {
        this.faulty = new FaultyCommands(faults);
        this.host = host;
        this.dma = dma;
        this.buffers = buffers;
        this.random = random;
        this.statistics = statistics;
    }

    /** Discards all commands, as a reset does. Data that was moved stays moved. */
    void reset() {
        faulty.reset(this::forget);
        for (Command command : fetching) {
            command.reads().newLife();
            commands--;
            free.push(command);
        }
        fetching.clear();
        listing.forEach(this::forget);
        reading.forEach(this::forget);
        listing.clear();
        reading.clear();
        waiting.forEach(this::forget);
        moving.forEach(this::forget);
        blocked.forEach(this::forget);
        waiting.clear();
        moving.clear();
        blocked.clear();
        nextQueue = 0;
    }

    /**
     * Discards commands that {@link #reset} could not find. A command in the middle of a step, when
     * memory of the host disappeared, is in none of the lists.
     */
    void settle() {
        commands = 0;
        statistics.settle();
    }

    /**
     * Does a bounded amount of work.
     *
     * @param queues the submission queues by QID; absent ones are null
     * @param limit QIDs from this one on have no queue
     * @param burst how many commands in a row are fetched from one queue
     * @return when there is more to do: {@code now} for at once, {@link Long#MAX_VALUE} for never
     */
    long step(@Nullable SubmissionQueue[] queues, int limit, int burst, long now) {
        worked = false;
        if (faulty.isStalled(now)) {
            return faulty.stalledUntil();
        }
        faulty.releaseLate(now, delivery);
        unblock();
        takeArrived(now);
        bytesOfTurn = 0;
        for (int i = 0; i < STEPS_A_TURN && bytesOfTurn < BYTES_A_TURN && dma.hasRoom(); i++) {
            boolean started = startOne(now);
            if (!moving.isEmpty()) {
                bytesOfTurn += moveSome();
            } else if (!started) {
                break;
            }
        }
        fetch(queues, limit, burst, now);
        statistics.turn(now);
        return nextWork(queues, limit, now);
    }

    /** Repairs what faults have left behind. */
    void repair() {
        faulty.repair();
    }

    /** Returns whether a Compare reports a block as equal, whatever is on the medium. */
    boolean compareLies(long lba) {
        return faulty.lies(lba);
    }

    /**
     * Finds a command that waits to begin, and removes and returns it; returns null if there is
     * none.
     */
    @Nullable Command takeWaiting(Predicate<Command> which) {
        for (int i = 0; i < waiting.size(); i++) {
            Command command = waiting.get(i);
            if (which.test(command)) {
                remove(waiting, i);
                return command;
            }
        }
        return null;
    }

    /** Drops commands that wait for room in their completion queue, without completing them. */
    void dropBlocked(SubmissionQueue queue) {
        blocked.removeIf(command -> {
            if (command.queue() != queue) {
                return false;
            }
            over(command);
            return true;
        });
    }

    /** Completes a command, now or as soon as its completion queue has room. */
    void complete(Command command) {
        command.reads().newLife();
        buffers.release(command);
        host.ending(command);
        if (command.endsUnseen() || command.suffers(Fault.Kind.LOST_COMPLETION)) {
            over(command);
        } else if (!faulty.keepsBack(command)) {
            deliver(command);
        }
    }

    private void deliver(Command command) {
        if (command.queue().completions().isFull()) {
            blocked.add(command);
        } else {
            post(command);
        }
    }

    /** Ends a command without a completion entry. */
    void drop(Command command) {
        buffers.release(command);
        over(command);
    }

    /** Counts data that bypasses the buffers as work of this turn. */
    void movesStraight(long bytes) {
        bytesOfTurn += bytes;
    }

    private void unblock() {
        for (int i = blocked.size(); i > 0; i--) {
            Command command = blocked.remove();
            if (command.queue().completions().isFull()) {
                blocked.add(command);
            } else {
                post(command);
            }
        }
    }

    private boolean startOne(long now) {
        if (waiting.isEmpty() || moving.size() >= MAX_MOVING) {
            return false;
        }
        int size = waiting.size();
        int first = random.nextInt(size);
        for (int i = 0; i < size; i++) {
            int at = first + i < size ? first + i : first + i - size;
            Command command = waiting.get(at);
            if (command.dueNanos() <= now) {
                remove(waiting, at);
                start(command);
                return true;
            }
        }
        return false;
    }

    private void start(Command command) {
        if (faulty.answersTooEarly(command)) {
            answerTooEarly(command);
            return;
        }
        int status = faulty.status(command);
        if (status != 0) {
            command.end(status);
            complete(command);
            return;
        }
        switch (host.handler(command).start(command)) {
            case CommandSetHandler.DONE -> complete(command);
            case CommandSetHandler.MOVE -> {
                if (command.toHost()) {
                    faulty.spoil(command);
                }
                moving.add(command);
            }
            case CommandSetHandler.WAIT -> listing.add(command);
            default -> {
                // HELD: another part ends the command later
            }
        }
    }

    /** Moves some pieces of one command, which is picked at random. Runs keep their order. */
    private long moveSome() {
        int at = moving.size() == 1 ? 0 : random.nextInt(moving.size());
        Command command = moving.get(at);
        DataPages pages = command.pages();
        DmaKind kind = command.isAdmin() ? DmaKind.ADMIN_DATA : DmaKind.IO_DATA;
        long bytes = 0;
        Reads reads = command.reads();
        boolean runs = dma.movesRuns();
        for (int i = 0; i < PIECES_A_STEP && bytes < BYTES_A_STEP && !pages.isDone(); i++) {
            if (!dma.hasRoom()) {
                break;
            }
            int piece = runs ? pages.next() : pages.next(random);
            long n = pages.bytes(piece);
            long offset = pages.dataOffset(piece);
            long address = pages.address(piece);
            boolean moved =
                    command.toHost()
                            ? dma.write(address, command.buffer(), offset, n, kind)
                            : dma.read(address, command.buffer(), offset, n, kind, reads)
                                    != Interconnect.FAILED;
            bytes += n;
            if (!moved) {
                reads.fail();
                break;
            }
        }
        if (reads.failed() || pages.isDone()) {
            remove(moving, at);
            // waits even after a failure: reads that were requested still arrive, and the host may
            // have reused the memory by then
            if (reads.isQuiet()) {
                moved(command);
            } else {
                reading.add(command);
            }
        }
        return bytes;
    }

    private void moved(Command command) {
        if (command.reads().failed()) {
            command.end(Status.DATA_TRANSFER_ERROR);
        } else {
            if (!command.toHost()) {
                faulty.spoil(command);
            }
            host.handler(command).finish(command);
        }
        complete(command);
    }

    /**
     * Continues with commands that waited for an answer: entries in their order, lists and data in
     * any order.
     */
    private void takeArrived(long now) {
        while (!fetching.isEmpty() && fetching.element().reads().isQuiet()) {
            worked = true;
            if (!take(fetching.remove(), now)) {
                return;
            }
        }
        for (int i = listing.size() - 1; i >= 0; i--) {
            Command command = listing.get(i);
            if (command.reads().isQuiet()) {
                remove(listing, i);
                worked = true;
                if (command.reads().failed()) {
                    command.end(Status.DATA_TRANSFER_ERROR | Status.DO_NOT_RETRY);
                    complete(command);
                } else {
                    start(command);
                }
            }
        }
        for (int i = reading.size() - 1; i >= 0; i--) {
            Command command = reading.get(i);
            if (command.reads().isQuiet()) {
                remove(reading, i);
                worked = true;
                moved(command);
            }
        }
    }

    /**
     * Fetches round robin: a burst from each queue, again and again, until all are empty or the
     * turn's limit is reached.
     */
    private void fetch(@Nullable SubmissionQueue[] queues, int limit, int burst, long now) {
        int budget = FETCHES_A_TURN;
        int idle = 0;
        while (budget > 0 && idle < limit) {
            int at = nextQueue < limit ? nextQueue : 0;
            SubmissionQueue queue = queues[at];
            nextQueue = at + 1;
            idle++;
            if (queue == null || queue.deleting()) {
                continue;
            }
            for (int i = 0; i < burst && budget > 0 && canFetch(queue); i++) {
                if (!fetchOne(queue, now)) {
                    return;
                }
                idle = 0;
                budget--;
            }
        }
    }

    private boolean canFetch(SubmissionQueue queue) {
        return queue.waiting() > 0 && hasRoom(queue);
    }

    /**
     * Returns whether a command of this queue can be fetched. Admin commands have room of their
     * own; otherwise the host could not abort the commands that fill the rest.
     */
    private boolean hasRoom(SubmissionQueue queue) {
        return commands < (queue.qid() == 0 ? MAX_COMMANDS + ADMIN_RESERVE : MAX_COMMANDS);
    }

    private boolean fetchOne(SubmissionQueue queue, long now) {
        Command command = free.poll();
        if (command == null) {
            command = new Command();
        }
        commands++;
        worked = true;
        long address = queue.base() + (long) queue.advance() * Sqe.BYTES;
        command.fetching(queue, address);
        Reads reads = command.reads();
        int answer = dma.read(address, command.sqe(), 0, Sqe.BYTES, DmaKind.QUEUE_ENTRY, reads);
        if (answer == Interconnect.PENDING) {
            fetching.add(command);
            return true;
        }
        if (answer == Interconnect.FAILED) {
            reads.fail();
        }
        return take(command, now);
    }

    /** Takes an entry that has arrived; returns false if it could not be read. */
    private boolean take(Command command, long now) {
        SubmissionQueue queue = command.queue();
        if (command.reads().failed()) {
            free.push(command);
            commands--;
            host.fatal("submission queue " + queue.qid() + " is out of reach");
            return false;
        }
        dma.fetched(queue.qid(), command.entryAddress(), command.sqe());
        command.arrived();
        boolean unique = queue.take(command.cid());
        command.fetched(queue, unique);
        statistics.fetched(command.isAdmin(), command.opcode());
        command.delay(host.dueNanos(command, now));
        Fault strike = faulty.fetched(command, now);
        if (strike != null) {
            host.struck(strike);
        }
        if (unique) {
            waiting.add(command);
        } else {
            command.end(Status.CID_CONFLICT | Status.DO_NOT_RETRY);
            complete(command);
        }
        return true;
    }

    private void post(Command command) {
        SubmissionQueue queue = command.queue();
        worked = true;
        if (faulty.forges(command)) {
            FaultyCommands.forge(command, dma);
            if (queue.completions().isFull()) {
                blocked.add(command);
                return;
            }
        }
        boolean written = FaultyCommands.post(command, dma);
        over(command);
        if (!written) {
            host.fatal("completion queue " + queue.completions().qid() + " is out of reach");
        }
    }

    /** Posts the completion of a command that has not begun, once there is room for it. */
    private void answerTooEarly(Command command) {
        waiting.add(command);
        if (!command.queue().completions().isFull()) {
            faulty.answerTooEarly(command, dma);
        }
    }

    private void over(Command command) {
        boolean failed = Status.code(command.status()) != Status.SUCCESS;
        statistics.over(command.isAdmin(), failed);
        command.queue().release(command.cid(), command.ownsIdentifier());
        commands--;
        free.push(command);
    }

    /** Ends a command whose queue a reset has deleted. */
    void forget(Command command) {
        command.reads().newLife();
        buffers.release(command);
        statistics.over(command.isAdmin(), false);
        commands--;
        free.push(command);
    }

    private long nextWork(@Nullable SubmissionQueue[] queues, int limit, long now) {
        if (worked || (!moving.isEmpty() && dma.hasRoom())) {
            return now;
        }
        for (int i = 0; i < limit; i++) {
            SubmissionQueue queue = queues[i];
            if (queue != null && !queue.deleting() && canFetch(queue)) {
                return now;
            }
        }
        long due = faulty.nextNanos();
        for (int i = 0; i < waiting.size(); i++) {
            due = Math.min(due, waiting.get(i).dueNanos());
        }
        return Math.max(due, now);
    }

    private static void remove(List<Command> list, int at) {
        int last = list.size() - 1;
        list.set(at, list.get(last));
        list.remove(last);
    }
}
