package dev.peerlane.serve;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.mem.Mmio;
import dev.peerlane.vfiouser.Channel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The drives of a fabric, each behind a vfio-user socket {@code NAME.sock} in one folder. A drive
 * has one client at a time; when that one goes, the drive is reset and its CMB cleared. All of it
 * moves in {@link #turn}, on the thread that owns the server.
 *
 * <p>There are no bridges and no root complex between served drives: what a drive may reach is what
 * its client gave it descriptors of.
 */
public final class Server implements AutoCloseable {
    /** What the name of a socket ends in. */
    public static final String SUFFIX = ".sock";

    private static final int TURNS_TO_LOOK = 64;
    private static final long BUSY_NANOS = 20_000_000L;

    /** How often the sockets are looked at while nobody sends: a look is three system calls. */
    private static final long LOOK_NANOS = 50_000L;

    /** After a message the next one is looked for more often, this long. */
    private static final long TALK_NANOS = 1_000_000L;

    private static final int NAP_MILLIS = 1;
    private static final int REST_MILLIS = 100;

    /** A drive, who listens for it, and its client. */
    private static final class Seat {
        private final Export export;
        private final Path path;
        private final UnixSocket listener;
        private @Nullable Client client;
        private long doorbells;

        Seat(Export export, Path path, UnixSocket listener) {
            this.export = export;
            this.path = path;
            this.listener = listener;
        }
    }

    private final List<Seat> seats = new ArrayList<>();
    private final Consumer<String> notes;
    private final LongSupplier clock;
    private int turns;
    private long lookedNanos;
    private long talkedNanos;
    private long busyNanos;
    private boolean closed;

    private Server(Consumer<String> notes, LongSupplier clock) {
        this.notes = notes;
        this.clock = clock;
        busyNanos = clock.getAsLong();
        talkedNanos = busyNanos;
    }

    /**
     * Makes the drives and the sockets. A socket that nobody listens to is replaced.
     *
     * @param spec the drives; ports and root complex count for nothing, time is real
     * @param folder where the sockets go; it exists
     * @param notes is told of clients that come and go, and why they are sent away
     * @throws PeerlaneException if a drive or a socket can't be made, or the fabric lies about peer
     *     traffic, which has no meaning here; nothing stays open then
     */
    public static Server open(FabricSpec spec, Path folder, Consumer<String> notes) {
        return open(spec, folder, notes, System::nanoTime);
    }

    /** As {@link #open(FabricSpec, Path, Consumer)}, with the time that clients are held to. */
    static Server open(FabricSpec spec, Path folder, Consumer<String> notes, LongSupplier clock) {
        KernelCalls.instance();
        if (spec.peerReads() != FabricSpec.PeerReads.NORMAL
                || spec.peerWrites() != FabricSpec.PeerWrites.NORMAL) {
            throw PeerlaneException.request(
                    "not-served",
                    "the fabric has peerReads or peerWrites, which served drives don't know",
                    "Leave both out of the fabric file");
        }
        Server server = new Server(notes, clock);
        try {
            for (DriveSpec drive : spec.drives()) {
                Path path = folder.resolve(drive.name() + SUFFIX);
                UnixSocket listener = listen(path);
                try {
                    server.seats.add(new Seat(new Export(drive, spec), path, listener));
                } catch (RuntimeException e) {
                    listener.close();
                    delete(path);
                    throw e;
                }
            }
            return server;
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static UnixSocket listen(Path path) {
        UnixSocket socket = UnixSocket.create();
        try {
            long result = socket.bind(path.toString());
            if (result == -Errno.EADDRINUSE && isAbandoned(path)) {
                delete(path);
                result = socket.bind(path.toString());
            }
            String remedy = "Choose a folder that exists, that is yours, and whose path is short";
            KernelException.check(result, "socket-not-made", "bind", path.toString(), remedy);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            KernelException.check(
                    socket.listen(8), "socket-not-made", "listen", path.toString(), remedy);
            return socket;
        } catch (IOException e) {
            socket.close();
            delete(path);
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "socket-not-made",
                    "%s can't be kept from other users: %s".formatted(path, e),
                    "Choose a folder on a file system with permissions",
                    e);
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static boolean isAbandoned(Path path) {
        try (UnixSocket probe = UnixSocket.create()) {
            return probe.connect(path.toString()) == -Errno.ECONNREFUSED;
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // the next server finds that nobody listens and replaces it
        }
    }

    /** Returns the sockets, in the order of the drives. */
    public List<Path> sockets() {
        return seats.stream().map(seat -> seat.path).toList();
    }

    /** Returns how many drives have a client. */
    public int clients() {
        return (int) seats.stream().filter(seat -> seat.client != null).count();
    }

    /**
     * Lets every drive move a little, and now and then looks at the sockets. Never waits.
     *
     * @return whether something happened lately, so that the next turn should come at once
     */
    public boolean turn() {
        long now = 0;
        boolean look = false;
        if (turns % TURNS_TO_LOOK == 0) {
            now = clock.getAsLong();
            look = turns == 0 || isTime(now);
        }
        turns++;
        boolean moved = false;
        for (int i = 0; i < seats.size(); i++) { // an iterator would be an object a turn
            Seat seat = seats.get(i);
            if (look) {
                moved |= welcome(seat);
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
     * Waits for something to do after {@link #turn} answered false: at most 100 ms, and 1 ms while
     * a controller is enabled, whose doorbells are memory that only a look can see change.
     */
    public void rest() {
        boolean enabled = seats.stream().anyMatch(seat -> seat.export.controller().isReady());
        int[] waiting = new int[2 * seats.size()];
        int count = 0;
        for (Seat seat : seats) {
            waiting[count++] = seat.listener.descriptor();
            if (seat.client != null) {
                waiting[count++] = seat.client.descriptor();
            }
        }
        UnixSocket.await(
                java.util.Arrays.copyOf(waiting, count), enabled ? NAP_MILLIS : REST_MILLIS);
        turns = 0;
    }

    private boolean welcome(Seat seat) {
        long fd = seat.listener.accept();
        if (fd < 0) {
            return false;
        }
        Channel channel = new Channel(UnixSocket.of(fd), "the client of " + seat.export.name());
        if (seat.client != null && seat.client.isGone()) {
            leave(seat, "it has closed the connection");
        }
        if (seat.client == null) {
            seat.client = new Client(channel, seat.export);
            notes.accept(seat.export.name() + ": a client has come");
        } else {
            channel.close();
            notes.accept(seat.export.name() + ": a second client was sent away");
        }
        return true;
    }

    private boolean move(Seat seat, boolean look, long now) {
        Client client = seat.client;
        if (client == null) {
            return false;
        }
        try {
            boolean moved = look && client.serve(now);
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
            leave(seat, e.getMessage());
        } catch (InternalError e) {
            // SIGBUS: the client made a file shorter that it gave the descriptor of
            leave(seat, "its memory is gone");
        }
        return true;
    }

    private void leave(Seat seat, @Nullable String reason) {
        if (seat.client != null) {
            seat.client.close();
            seat.client = null;
        }
        seat.export.forget();
        notes.accept(seat.export.name() + ": the client is gone: " + reason);
    }

    /** Sends every client away, and takes the sockets away. A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (Seat seat : seats) {
            if (seat.client != null) {
                seat.client.close();
            }
            seat.listener.close();
            delete(seat.path);
            seat.export.close();
        }
    }
}
