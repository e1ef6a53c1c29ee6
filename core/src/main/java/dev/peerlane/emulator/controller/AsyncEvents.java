package dev.peerlane.emulator.controller;

import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.Status;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Outstanding Asynchronous Event Requests, and events that wait for one (NVMe Base 2.0, 5.2). After
 * an event of a type was reported, no other of that type is reported until its log page is read.
 */
final class AsyncEvents {
    /** The largest number of outstanding requests; AERL is one less. */
    static final int LIMIT = 4;

    private static final int TYPES = 8;
    private static final int MAX_PENDING = 8;

    private final CommandEngine engine;
    private final ArrayDeque<Command> requests = new ArrayDeque<>();
    private final ArrayDeque<AsyncEvent> pending = new ArrayDeque<>();
    private final @Nullable AsyncEvent[] reported = new AsyncEvent[TYPES];

    AsyncEvents(CommandEngine engine) {
        this.engine = engine;
    }

    /** Takes a request. */
    int request(Command command) {
        if (requests.size() == LIMIT) {
            return CommandSetHandler.refuse(command, Status.ASYNC_EVENT_LIMIT_EXCEEDED);
        }
        requests.add(command);
        return CommandSetHandler.HELD;
    }

    /**
     * Takes an event, which is reported as soon as there is a request. Keeps a few events of each
     * type.
     */
    void raise(AsyncEvent event) {
        if (pending.size() < MAX_PENDING && !pending.contains(event)) {
            pending.add(event);
        }
    }

    /** Reports the events that can be reported. */
    void step() {
        if (pending.isEmpty()) {
            return;
        }
        Iterator<AsyncEvent> events = pending.iterator();
        while (events.hasNext() && !requests.isEmpty()) {
            AsyncEvent event = events.next();
            if (reported[event.type()] == null) {
                reported[event.type()] = event;
                events.remove();
                Command command = requests.remove();
                command.result(event.raw());
                engine.complete(command);
            }
        }
    }

    /**
     * Notes that the host read a log page without Retain Asynchronous Event: events that refer to
     * the page may be reported again.
     */
    void logRead(int lid) {
        for (int type = 0; type < TYPES; type++) {
            AsyncEvent event = reported[type];
            if (event != null && event.lid() == lid) {
                reported[type] = null;
            }
        }
    }

    /** Aborts an outstanding request; returns false if none has that identifier. */
    boolean abort(int cid) {
        Iterator<Command> each = requests.iterator();
        while (each.hasNext()) {
            Command command = each.next();
            if (command.cid() == cid) {
                each.remove();
                command.end(Status.ABORT_REQUESTED);
                engine.complete(command);
                return true;
            }
        }
        return false;
    }

    /** Discards requests and events, as a reset does. */
    void reset() {
        requests.forEach(engine::forget);
        requests.clear();
        pending.clear();
        java.util.Arrays.fill(reported, null);
    }

    /** Returns the event of an invalid doorbell write. */
    static AsyncEvent doorbell(int info) {
        return AsyncEvent.of(AsyncEvent.TYPE_ERROR, info, LogPage.ERROR);
    }
}
