package dev.peerlane.serve;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.mem.Mmio;
import dev.peerlane.vfiouser.Channel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A server for the drives of a fabric. Each drive has a vfio-user socket {@code NAME.sock} in one
 * folder, which {@code NAME/cntrl} links to. A drive has one client at a time; when the client
 * disconnects, the drive is reset and its CMB cleared. All work is done in {@link #turn}, on the
 * thread that owns the server.
 *
 * <p>There are no bridges and no root complex between served drives: a drive can access the memory
 * whose descriptors its client passed, and no other.
 */
public final class Server implements AutoCloseable {
    /** Suffix of a socket's file name. */
    public static final String SUFFIX = ".sock";

    /** Prefix of the note about a client that was disconnected because of a bug in this program. */
    static final String UNFORESEEN = "unexpected error, please report it: ";

    /** Reason for a SIGBUS: the client truncated a file whose descriptor it had passed. */
    private static final String MEMORY_GONE = "its memory is gone";

    private static final int TURNS_TO_LOOK = 64;
    private static final long BUSY_NANOS = 20_000_000L;

    /**
     * Time between two looks at the sockets while nobody sends. A look takes three system calls.
     */
    private static final long LOOK_NANOS = 50_000L;

    /** Time after a message during which the sockets are looked at more often. */
    private static final long TALK_NANOS = 1_000_000L;

    /**
     * Most of the time between two looks that counts against a client's time limit. A longer gap
     * means that this process did not run.
     */
    private static final long GAP_NANOS = 1_000_000_000L;

    private static final int NAP_MILLIS = 1;
    private static final int REST_MILLIS = 100;

    /** Most connections to a drive in use that wait for their refusal. */
    private static final int MAX_VISITORS = 8;

    /** A drive with its socket, its client, and the connections of those who have to be refused. */
    private static final class Seat {
        private final Export export;
        private final SocketFile socket;
        private final ControlLink link;
        private final List<Visitor> visitors = new ArrayList<>();
        private @Nullable Client client;
        private long takenNanos;
        private long doorbells;
        private boolean tidy = true;

        Seat(Export export, SocketFile socket, ControlLink link) {
            this.export = export;
            this.socket = socket;
            this.link = link;
        }
    }

    private final OwnerThread thread = new OwnerThread();
    private final List<Seat> seats = new ArrayList<>();
    private final Consumer<String> notes;
    private final LongSupplier clock;
    private int turns;
    private long lookedNanos;
    private long waitedNanos;
    private long talkedNanos;
    private long busyNanos;
    private boolean closed;

    private Server(Consumer<String> notes, LongSupplier clock) {
        this.notes = notes;
        this.clock = clock;
        busyNanos = clock.getAsLong();
        talkedNanos = busyNanos;
        lookedNanos = busyNanos;
    }

    /**
     * Creates the drives and their sockets. A socket that nobody listens to is replaced. Any other
     * file with a socket's name is left alone and is an error.
     *
     * @param model the drives. Ports and root complex are ignored, time is real, and data moves in
     *     runs unless the description says otherwise ({@link FabricModel#hurried})
     * @param folder an existing folder, in which the sockets are created
     * @param notes receives a line for each client that comes or goes, and why one is sent away
     * @throws PeerlaneException if a drive or a socket can't be created, or if the fabric falsifies
     *     peer traffic, which has no meaning here; nothing stays open then
     */
    public static Server open(FabricModel model, Path folder, Consumer<String> notes) {
        return open(model, folder, notes, System::nanoTime);
    }

    /**
     * Opens a server as {@link #open(FabricModel, Path, Consumer)} does, with a clock for the
     * clients' time limits.
     */
    static Server open(FabricModel model, Path folder, Consumer<String> notes, LongSupplier clock) {
        KernelCalls.instance();
        if (model.peerReads() != FabricModel.PeerReads.NORMAL
                || model.peerWrites() != FabricModel.PeerWrites.NORMAL) {
            throw PeerlaneException.request(
                    "not-served",
                    "the fabric has peerReads or peerWrites, which served drives don't support",
                    "Leave both out of the fabric file");
        }
        Server server = new Server(notes, clock);
        try {
            FabricModel hurried = model.hurried();
            for (DriveModel drive : model.drives()) {
                server.seats.add(seat(drive, hurried, folder));
            }
            return server;
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static Seat seat(DriveModel drive, FabricModel all, Path folder) {
        SocketFile socket = SocketFile.listen(folder.resolve(drive.name() + SUFFIX));
        ControlLink link = null;
        boolean done = false;
        try {
            link = ControlLink.make(folder.resolve(drive.name()), socket);
            Seat seat = new Seat(new Export(drive, all), socket, link);
            done = true;
            return seat;
        } finally {
            if (!done) {
                if (link != null) {
                    link.close();
                }
                socket.close();
            }
        }
    }

    /** Returns the sockets, in the order of the drives. */
    public List<Path> sockets() {
        return seats.stream().map(seat -> seat.socket.path()).toList();
    }

    /** Returns how the data of the drives' commands moves, as text for a person. */
    public String transfersText() {
        return seats.getFirst().export.model().transfersText();
    }

    /** Returns the number of drives that have a client. */
    public int clients() {
        checkThread();
        return (int) seats.stream().filter(seat -> seat.client != null).count();
    }

    /**
     * Advances every drive a little, and looks at the sockets now and then. Never waits.
     *
     * @return whether there was activity in the last 20 ms, so that the next turn should follow at
     *     once; else call {@link #rest}
     */
    public boolean turn() {
        checkThread();
        long now = 0;
        boolean look = false;
        if (turns % TURNS_TO_LOOK == 0) {
            now = clock.getAsLong();
            look = turns == 0 || isTime(now);
        }
        turns++;
        boolean moved = false;
        if (look) {
            waitedNanos += Math.min(now - lookedNanos, GAP_NANOS);
        }
        for (int i = 0; i < seats.size(); i++) { // an iterator would be allocated in each turn
            Seat seat = seats.get(i);
            if (look) {
                moved |= welcome(seat, now);
            }
            moved |= move(seat, look, now);
        }
        if (!look) {
            return true;
        }
        lookedNanos = now;
        if (moved) {
            busyNanos = now;
        }
        return now - busyNanos < BUSY_NANOS;
    }

    private boolean isTime(long now) {
        return now - lookedNanos >= LOOK_NANOS || now - talkedNanos < TALK_NANOS;
    }

    /**
     * Waits for work after {@link #turn} returned false: at most 100 ms, or 1 ms while a controller
     * is enabled, because its doorbells are memory that has to be polled.
     */
    public void rest() {
        checkThread();
        boolean enabled = seats.stream().anyMatch(seat -> seat.export.controller().isReady());
        IntStream.Builder waiting = IntStream.builder();
        for (Seat seat : seats) {
            waiting.add(seat.socket.descriptor());
            if (seat.client != null) {
                waiting.add(seat.client.descriptor());
            }
            seat.visitors.forEach(visitor -> waiting.add(visitor.descriptor()));
        }
        UnixSocket.await(waiting.build().toArray(), enabled ? NAP_MILLIS : REST_MILLIS);
        turns = 0;
    }

    /**
     * Accepts a connection: as the drive's client, or as a visitor that is told that the drive is
     * in use.
     */
    private boolean welcome(Seat seat, long now) {
        long taken = (now - seat.takenNanos) / 1_000_000_000;
        boolean went = false;
        for (int i = seat.visitors.size() - 1; i >= 0; i--) {
            Visitor visitor = seat.visitors.get(i);
            if (visitor.isDone(waitedNanos, taken)) {
                seat.visitors.remove(i);
                visitor.close();
                went = true;
            }
        }
        long fd = seat.socket.accept();
        if (fd < 0) {
            return went;
        }
        if (seat.client != null && seat.client.isGone()) {
            leave(seat, "it has closed the connection");
        }
        Channel channel = new Channel(UnixSocket.of(fd), "the client of " + seat.export.name());
        if (seat.client == null && (seat.tidy || tidy(seat))) {
            seat.client = new Client(channel, seat.export, waitedNanos);
            seat.takenNanos = now;
            notes.accept(seat.export.name() + ": a client connected");
        } else if (seat.client != null && seat.visitors.size() < MAX_VISITORS) {
            seat.visitors.add(new Visitor(channel, waitedNanos));
            notes.accept(seat.export.name() + ": a second client was refused");
        } else {
            channel.close();
            notes.accept(seat.export.name() + ": a connection was closed unanswered");
        }
        return true;
    }

    private boolean move(Seat seat, boolean look, long now) {
        Client client = seat.client;
        if (client == null) {
            return false;
        }
        try {
            boolean moved = look && client.serve(waitedNanos);
            if (moved) {
                talkedNanos = now;
            }
            seat.export.turn();
            Mmio.settle();
            long doorbells = look ? seat.export.controller().statistics().doorbells() : 0;
            if (look && doorbells != seat.doorbells) {
                seat.doorbells = doorbells;
                moved = true;
            }
            return moved;
        } catch (PeerlaneException e) {
            // the fabric's clock reports a SIGBUS as an exception of its own
            boolean fault = e.getCause() instanceof InternalError;
            leave(seat, fault ? MEMORY_GONE : e.getMessage());
        } catch (InternalError e) {
            leave(seat, MEMORY_GONE);
        } catch (RuntimeException e) {
            // a bug that one client triggers must not end the drives of the others
            leave(seat, UNFORESEEN + e);
        }
        return true;
    }

    private void leave(Seat seat, @Nullable String reason) {
        Client client = seat.client;
        seat.client = null;
        notes.accept(seat.export.name() + ": the client is gone: " + reason);
        if (client != null) {
            try {
                client.close();
            } catch (RuntimeException | InternalError e) {
                notes.accept(seat.export.name() + ": its connection was not closed: " + e);
            }
        }
        tidy(seat);
    }

    /**
     * Removes what is left of the last client. Returns whether that succeeded, so that the drive
     * can accept another.
     */
    private boolean tidy(Seat seat) {
        seat.tidy = false;
        try {
            seat.export.forget();
            seat.tidy = true;
        } catch (RuntimeException | InternalError e) {
            notes.accept(
                    "%s: out of service, because its last client's traces can't be removed: %s"
                            .formatted(seat.export.name(), e.getMessage()));
        }
        return seat.tidy;
    }

    private void checkThread() {
        thread.check("the server");
    }

    /** Disconnects all clients and deletes the sockets. Closing again has no effect. */
    @Override
    public void close() {
        checkThread();
        if (closed) {
            return;
        }
        closed = true;
        for (Seat seat : seats) {
            seat.visitors.forEach(Visitor::close);
            if (seat.client != null) {
                seat.client.close();
            }
            seat.link.close();
            seat.socket.close();
            seat.export.close();
        }
    }
}
