package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.TrafficCounters;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.hal.parts.SpinningClock;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.RootComplex;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A fabric of devices behind vfio-user sockets. Locators are {@code vfio-user:PATH}. Opening the
 * fabric connects to all devices; the connections last until it is closed, and a server has one
 * client at a time. Only the thread that opened the fabric may use it.
 */
public final class VfioUserFabric extends Fabric {
    /** Prefix of the locators of vfio-user devices. */
    public static final String LOCATOR_PREFIX = "vfio-user:";

    /** File name of the socket in a folder, where a locator names the folder. */
    public static final String SOCKET_NAME = "cntrl";

    /**
     * Default time limit for a server's reply, in nanoseconds: that of a command. It is generous
     * because a busy machine can delay a server by seconds; the end of a server's process is
     * noticed at once.
     */
    public static final long TIMEOUT_NANOS = 30_000_000_000L;

    private static final int MAX_DEVICES = 255;
    private static final int TURNS_TO_YIELD = 64;

    private final Clock clock;
    private final Map<String, UserFunction> functions = new LinkedHashMap<>();
    private final List<UserDevice> open = new ArrayList<>();
    private final UserDma dma;
    private final OwnerThread thread = new OwnerThread();
    private boolean closed;

    private VfioUserFabric(List<Path> sockets, Clock clock, long timeoutNanos) {
        this.clock = clock;
        List<UserFunction> members = new ArrayList<>();
        this.dma = new UserDma(members);
        boolean done = false;
        try {
            UserFunction.Addresses places = new UserFunction.Addresses();
            for (Path path : new LinkedHashSet<>(sockets)) {
                String locator = LOCATOR_PREFIX + path;
                Bdf bdf = new Bdf(0, members.size() + 1, 0, 0);
                UserFunction function =
                        new UserFunction(locator, path, bdf, clock, timeoutNanos, places);
                members.add(function);
                functions.put(locator, function);
            }
            done = true;
        } finally {
            if (!done) {
                members.forEach(UserFunction::close);
                dma.close();
            }
        }
    }

    /**
     * Connects to the devices behind sockets, with a reply timeout of {@link #TIMEOUT_NANOS}.
     *
     * @param sockets the servers' sockets, or folders with a socket named {@code cntrl}; all the
     *     devices that take part in peer-to-peer transfers
     * @throws PeerlaneException if a socket is missing or is not that of an idle vfio-user server,
     *     or if this is not Linux on x86-64; nothing stays open then
     */
    public static VfioUserFabric open(List<Path> sockets) {
        return open(sockets, new SpinningClock(TURNS_TO_YIELD), TIMEOUT_NANOS);
    }

    /**
     * Connects to the devices behind sockets, waiting with the caller's clock.
     *
     * @param clock runs its turns while this side waits for a server
     * @param timeoutNanos time limit for a server's reply, in nanoseconds
     */
    public static VfioUserFabric open(List<Path> sockets, Clock clock, long timeoutNanos) {
        KernelCalls.instance();
        if (sockets.isEmpty() || sockets.size() > MAX_DEVICES) {
            throw PeerlaneException.request(
                    "no-devices",
                    sockets.size() + " vfio-user sockets are named",
                    "Name 1 to " + MAX_DEVICES);
        }
        for (Path path : sockets) {
            int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
            if (bytes > UnixSocket.MAX_PATH_BYTES) {
                throw PeerlaneException.request(
                        "socket-path-too-long",
                        "%s%s has %d bytes, and a socket's path can have %d"
                                .formatted(LOCATOR_PREFIX, path, bytes, UnixSocket.MAX_PATH_BYTES),
                        "Use a shorter one, or a path relative to the current folder");
            }
        }
        return new VfioUserFabric(sockets, clock, timeoutNanos);
    }

    @Override
    public String kind() {
        return "vfio-user";
    }

    @Override
    public List<String> locators() {
        return List.copyOf(functions.keySet());
    }

    @Override
    public PciDevice open(String locator) {
        checkThread();
        if (closed) {
            throw new IllegalStateException("this fabric is closed");
        }
        UserFunction function = functions.get(locator);
        if (function == null) {
            throw PeerlaneException.request(
                    "no-such-device",
                    locator + " is not among the devices of this fabric",
                    "Use one of " + functions.keySet());
        }
        if (open.stream().anyMatch(device -> device.function() == function)) {
            throw PeerlaneException.machine(
                    "device-in-use", locator + " is open already", "Close it first");
        }
        UserDevice device = new UserDevice(new Devices(), function);
        open.add(device);
        return device;
    }

    @Override
    public DmaDomain dma() {
        return dma;
    }

    @Override
    public Clock clock() {
        return clock;
    }

    /**
     * Returns the devices with no bridges between them. There is no PCI tree: a server accesses the
     * memory whose descriptor it was given.
     */
    @Override
    public Machine machine() {
        return new Machine(
                functions.values().stream().map(UserFunction::snapshot).toList(),
                new RootComplex(
                        RootComplex.Trust.TRUSTED,
                        RootComplex.Trust.TRUSTED,
                        "vfio-user servers map each other's memory by descriptor"));
    }

    @Override
    public Optional<TrafficCounters> traffic() {
        return Optional.empty();
    }

    /** Returns the fabric's name for messages. */
    @Override
    public String toString() {
        return "the fabric of " + functions.keySet();
    }

    private void checkThread() {
        thread.check(this);
    }

    /** The fabric as its devices call it. */
    private final class Devices implements UserDevice.Host {
        @Override
        public void checkThread() {
            VfioUserFabric.this.checkThread();
        }

        @Override
        public void released(UserDevice device) {
            open.remove(device);
        }
    }

    @Override
    public void close() {
        checkThread();
        if (closed) {
            return;
        }
        closed = true;
        RuntimeException first = null;
        for (UserDevice device : List.copyOf(open)) {
            try {
                device.close();
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        functions.values().forEach(UserFunction::close);
        dma.close();
        if (first != null) {
            throw first;
        }
    }
}
