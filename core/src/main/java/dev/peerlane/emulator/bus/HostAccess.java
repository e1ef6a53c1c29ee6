package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.tree.EmulatedFunction;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Sends the host's loads and stores as packets in virtual time. */
public final class HostAccess {
    private final Events events;
    private final PacketRoutes routes;
    private final BusTime time;
    private long sent;

    HostAccess(Events events, PacketRoutes routes, BusTime time) {
        this.events = events;
        this.routes = routes;
        this.time = time;
    }

    /** Returns the number of requests sent. */
    long sent() {
        return sent;
    }

    /** Sends a store of the host: a posted write that runs {@code arrival} where it arrives. */
    public void store(EmulatedFunction target, long address, int bytes, Runnable arrival) {
        catchUp();
        sent++;
        if (events.isTraced()) {
            events.trace("host stores to 0x%x of %s".formatted(address, target.bdf()));
        }
        new Packet(Packet.Flow.POSTED, null, 0, bytes, address, arrival)
                .sendAlong(routes.fromHost(target));
    }

    /**
     * Sends a load of the host and waits for its completion, which pushes earlier posted writes
     * ahead of it.
     */
    public long load(EmulatedFunction target, long address, int bytes, LongSupplier load) {
        catchUp();
        sent++;
        long[] value = new long[1];
        boolean[] done = new boolean[1];
        List<Hop> there = routes.fromHost(target);
        Runnable answer =
                () -> {
                    long loaded = load.getAsLong();
                    Packet completion =
                            new Packet(
                                    Packet.Flow.COMPLETION,
                                    null,
                                    0,
                                    bytes,
                                    address,
                                    () -> {
                                        value[0] = loaded;
                                        done[0] = true;
                                    });
                    completion.sendAlong(routes.toHost(target));
                };
        new Packet(Packet.Flow.NON_POSTED, null, 0, 0, address, answer).sendAlong(there);
        BooleanSupplier isDone = () -> done[0];
        time.pass(isDone);
        if (events.isTraced()) {
            events.trace("host loaded 0x%x of %s: %xh".formatted(address, target.bdf(), value[0]));
        }
        return value[0];
    }

    private void catchUp() {
        events.advance(time.nanoTime());
    }
}
