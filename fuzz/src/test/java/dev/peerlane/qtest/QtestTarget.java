package dev.peerlane.qtest;

import dev.peerlane.PeerlaneException;
import dev.peerlane.fuzz.Input;
import dev.peerlane.fuzz.Refusals;
import dev.peerlane.fuzz.Scratch;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Fuzzes the qtest client over a real socket, and the use of its fabric, with a QEMU that gives
 * arbitrary answers and changes its memory. Each run ends in bounded time with typed errors only.
 */
public final class QtestTarget {
    private static final long TIMEOUT_NANOS = 5_000_000;
    private static final long TURN_NANOS = 1_000_000;
    private static final long RAM_BYTES = 32 << 20;
    private static final int MOST_ACTIONS = 40;
    private static final int ACTIONS = 10;
    private static final Path FOLDER = Scratch.folder("qtest");
    private static final Path RAM = FOLDER.resolve("ram");
    private static final Path SOCKET = FOLDER.resolve("qtest.sock");

    private final Input input;
    private final List<PciDevice> devices = new ArrayList<>();
    private final List<DmaBuffer> buffers = new ArrayList<>();
    private final List<PeerMapping> peers = new ArrayList<>();

    private QtestTarget(Input input) {
        this.input = input;
    }

    /** A clock that advances with each turn. */
    private static final class TurningClock extends Clock {
        private final QtestSocket socket;
        private final QemuServer server;
        private long nanos;

        TurningClock(QtestSocket socket, QemuServer server) {
            this.socket = socket;
            this.server = server;
        }

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void turn() {
            server.run();
            socket.drain();
            nanos += TURN_NANOS;
        }
    }

    /** Runs one input: the kind, the number of action bytes, the actions, and the answers. */
    public static void fuzzerTestOneInput(byte[] data) {
        Input answers = new Input(data);
        int kind = answers.int8();
        Input actions = new Input(answers.bytes(answers.int8()));
        try (Arena arena = Arena.ofShared()) {
            PlayedQemu qemu = new PlayedQemu(answers, ram(arena), kind);
            try (QemuServer server = new QemuServer(SOCKET, qemu)) {
                new QtestTarget(actions).run(server);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MemorySegment ram(Arena arena) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(RAM.toFile(), "rw")) {
            file.setLength(0);
            file.setLength(RAM_BYTES);
            return file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, RAM_BYTES, arena);
        }
    }

    private void run(QemuServer server) {
        try {
            QtestSocket connection = QtestSocket.connect(SOCKET, TIMEOUT_NANOS, server);
            Clock clock = new TurningClock(connection, server);
            try (QtestFabric fabric = QtestFabric.attach(connection, RAM, clock)) {
                for (int i = 0; i < MOST_ACTIONS && !input.isEmpty(); i++) {
                    try {
                        act(fabric, input.below(ACTIONS));
                    } catch (PeerlaneException e) {
                        Refusals.check(e);
                    }
                }
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
    }

    private void act(QtestFabric fabric, int action) {
        switch (action) {
            case 0, 1 -> {
                List<String> there = fabric.locators();
                if (!there.isEmpty()) {
                    devices.add(fabric.open(there.get(input.below(there.size()))));
                }
            }
            case 2 -> buffers.add(fabric.dma().allocate(1L << input.below(24)));
            case 3 -> fabric.machine().functions();
            case 4 -> fabric.iommu().ifPresent(IntelIommu::faults);
            case 5 -> {
                if (!buffers.isEmpty()) {
                    buffers.remove(input.below(buffers.size())).close();
                }
                if (!peers.isEmpty()) {
                    peers.remove(input.below(peers.size())).close();
                }
            }
            default -> {
                if (!devices.isEmpty()) {
                    use(fabric, devices.get(input.below(devices.size())), action);
                }
            }
        }
    }

    private void use(QtestFabric fabric, PciDevice device, int action) {
        switch (action) {
            case 6 -> registers(device.bar(input.below(6)));
            case 7 -> {
                Bar bar = device.bar(0);
                if (bar.sizeBytes() >= 0x2000) {
                    peers.add(fabric.dma().mapPeer(device, bar, 0x1000L * input.below(2), 0x1000));
                }
            }
            case 8 -> {
                device.busMaster(input.flag());
                device.reset();
            }
            default -> {
                devices.remove(device);
                device.close();
            }
        }
    }

    private void registers(Bar bar) {
        bar.store32(0, bar.load32(4));
        bar.store64(8, bar.load64(0));
        bar.doorbell(4).ring(input.int8());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate(Math.min(bar.sizeBytes(), 64 << 10) & -4);
            bar.load(0, piece);
            bar.store(0, piece);
            bar.fill(0, piece.byteSize(), input.int32());
        }
    }
}
