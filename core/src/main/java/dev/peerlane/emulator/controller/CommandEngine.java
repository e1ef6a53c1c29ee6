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
 * Moves commands along, a bounded amount a turn: fetched in round robin over the queues, waiting
 * until they are due, moving their data in pieces that interleave with those of other commands (or
 * in runs, where the fabric says so), completed in whatever order they end, and kept back while
 * their completion queue is full.
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

    /** What the engine needs of the controller around it. */
    interface Host {
        CommandSetHandler handler(Command command);

        /** Returns when a command that was fetched now may begin. */
        long dueNanos(Command command, long now);

        /** A command is about to be completed; it may change its status. */
        void ending(Command command);

        /** A fault that is more than a command's was met. */
        void struck(Fault fault);

        /** A queue can't be reached. */
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

    /** Made once: a turn allocates nothing. */
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

    /** Forgets all commands, as a reset does. What was moved so far stays moved. */
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
     * Nobody holds a command any more. One that was in hand when memory of the host went away, in
     * the middle of a step, is in no list that {@link #reset} could find it in.
     */
    void settle() {
        commands = 0;
        statistics.settle();
    }

    /**
     * Does a bounded amount of work.
     *
     * @param queues the submission queues by QID; absent ones are null
     * @param limit how many of them are worth a look: none is beyond
     * @param burst how many commands in a row come from one queue
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

    /** Mends what faults have left behind. */
    void repair() {
        faulty.repair();
    }

    /** Returns whether a Compare is to take a block for equal, whatever is on the medium. */
    boolean compareLies(long lba) {
        return faulty.lies(lba);
    }

    /** Finds a command that waits to begin, takes it out and returns it, or null. */
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

    /** Drops commands that wait for a place in their completion queue, without completing them. */
    void dropBlocked(SubmissionQueue queue) {
        blocked.removeIf(command -> {
            if (command.queue() != queue) {
                return false;
            }
            over(command);
            return true;
        });
    }

    /** Completes a command, now or as soon as its completion queue has a place. */
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

    /** Counts data that does not go through a buffer as work of this turn. */
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
                // held: whoever holds it ends it
            }
        }
    }

    /** Moves some pieces of one command, picked at random; runs in their order. */
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
            // also after a failure: what is asked for comes, and by then the host may have taken
            // the memory back
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

    /** Goes on with what waited for an answer: entries in their order, lists and data in any. */
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

    /** Round robin: a burst of each queue, again and again, until all are empty or it is enough. */
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

    /** Admin commands have room of their own, or nobody could abort what fills the rest. */
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

    /** Takes an entry that has arrived; false if it could not be read. */
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

    /** Posts the completion of a command that has not begun, once there is a place for it. */
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

    /** Ends a command of a queue that a reset has taken away. */
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
