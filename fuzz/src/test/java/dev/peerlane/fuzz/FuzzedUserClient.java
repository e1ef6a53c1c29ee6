package dev.peerlane.fuzz;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.serve.Server;
import dev.peerlane.vfiouser.Protocol;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A client that sends a server of one drive what the input says, followed by a valid client. */
final class FuzzedUserClient {
    private static final int MOST_STEPS = 60;
    private static final int MOST_TURNS = 2_000;
    private static final int MOST_CONNECT_TURNS = 1_000_000;
    private static final long TIMEOUT_NANOS = 20_000_000_000L;
    private static final int PAGE = 4096;

    private final Input input;
    private final Server server;
    private final MemorySegment message;
    private final MemorySegment answer;
    private final int file;
    private UnixSocket socket = UnixSocket.create();

    private FuzzedUserClient(Input input, Server server, Arena arena, int file) {
        this.input = input;
        this.server = server;
        this.file = file;
        message = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
        answer = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    }

    static void run(Input input, Path folder) {
        DriveModel drive =
                DriveModel.named("s").memory(64 << 10, 512).cmb(CmbModel.of(64 << 10)).build();
        int file = (int) MemoryFile.create("fuzz-client", 16 * PAGE);
        try (Server server =
                        Server.open(
                                FabricModel.builder().drive(drive).build(), folder, note -> {});
                Arena arena = Arena.ofConfined()) {
            new FuzzedUserClient(input, server, arena, file).run();
        } finally {
            KernelCalls.instance().close(file);
        }
    }

    private void run() {
        connect();
        for (int i = 0; i < MOST_STEPS && !input.isEmpty(); i++) {
            step(input.below(10));
        }
        socket.close();
        Clock clock =
                new Clock() {
                    @Override
                    public long nanoTime() {
                        return System.nanoTime();
                    }

                    @Override
                    public void turn() {
                        server.turn();
                    }
                };
        try (VfioUserFabric fabric = VfioUserFabric.open(server.sockets(), clock, TIMEOUT_NANOS);
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            if (device.bar(0).load32(8) != 0x0001_0400 || device.bar(2).load64(0) != 0) {
                throw new AssertionError("the next client does not find the drive as it was");
            }
        }
    }

    private void connect() {
        String path = server.sockets().getFirst().toString();
        for (int i = 0; i < MOST_CONNECT_TURNS; i++) {
            long result = socket.connect(path);
            if (result == 0) {
                return;
            }
            if (result != -Errno.EAGAIN) { // the backlog is full
                break;
            }
            server.turn();
        }
        throw new AssertionError("the server does not listen any more");
    }

    private void step(int action) {
        message.asSlice(0, 128).fill((byte) 0);
        switch (action) {
            case 0, 1 -> greet();
            case 2 -> access();
            case 3 -> registers();
            case 4 -> map();
            case 5 -> send(Protocol.DMA_UNMAP, words(24, 8), 0, 0);
            case 6 -> send(5 + input.below(4), words(16 + 4 * input.below(20), 1), 0, input.int8());
            case 7 -> raw();
            case 8 -> {
                socket.close();
                socket = UnixSocket.create();
                connect();
            }
            default -> {
                byte[] body = input.bytes(input.int8());
                MemorySegment.copy(body, 0, message, JAVA_BYTE, 16, body.length);
                send(input.below(18), body.length, input.below(64), input.int8());
            }
        }
    }

    private void greet() {
        message.set(JAVA_SHORT_UNALIGNED, 18, (short) 1);
        send(Protocol.VERSION, 5, 0, 0);
    }

    private void access() {
        boolean write = input.flag();
        int count = 1 << input.below(4);
        message.set(JAVA_LONG_UNALIGNED, 16, input.int16() * (input.flag() ? 4L : 1L));
        message.set(JAVA_INT_UNALIGNED, 24, input.flag() ? 0 : input.below(10));
        message.set(JAVA_INT_UNALIGNED, 28, count);
        message.set(JAVA_LONG_UNALIGNED, 32, input.int32());
        int command = write ? Protocol.REGION_WRITE : Protocol.REGION_READ;
        send(command, 16 + (write ? count : 0), 0, 0);
    }

    /** Enables the controller, with its queues in or close to mapped memory. */
    private void registers() {
        store(7, 4, 2, 6);
        store(0, 0x24, 4, 0x000f_000f);
        store(0, 0x28, 8, (long) PAGE * input.below(18));
        store(0, 0x30, 8, (long) PAGE * input.below(18));
        store(0, 0x14, 4, 0x0046_0001);
        store(0, 0x1000, 4, input.below(16));
    }

    private void store(int region, long offset, int count, long value) {
        message.set(JAVA_LONG_UNALIGNED, 16, offset);
        message.set(JAVA_INT_UNALIGNED, 24, region);
        message.set(JAVA_INT_UNALIGNED, 28, count);
        message.set(JAVA_LONG_UNALIGNED, 32, value);
        send(Protocol.REGION_WRITE, 16 + count, 0, 0);
    }

    private void map() {
        message.set(JAVA_INT_UNALIGNED, 16, input.flag() ? 32 : input.int8());
        message.set(JAVA_INT_UNALIGNED, 20, input.flag() ? 3 : input.int8());
        message.set(JAVA_LONG_UNALIGNED, 24, (long) PAGE * input.below(18));
        message.set(JAVA_LONG_UNALIGNED, 32, input.flag() ? 0 : (long) PAGE * input.below(18));
        message.set(JAVA_LONG_UNALIGNED, 40, input.flag() ? 16 * PAGE : input.int64());
        send(Protocol.DMA_MAP, 32, 0, input.flag() ? 1 : input.int8());
    }

    /** Fills words of the body with small and large numbers. */
    private int words(int bytes, int width) {
        message.set(JAVA_INT_UNALIGNED, 16, bytes);
        for (int at = 4; at + width <= bytes && at < 64; at += 4) {
            int value = input.flag() ? input.int8() : input.int32();
            message.set(JAVA_INT_UNALIGNED, 16 + at, value);
        }
        return bytes;
    }

    /** Sends bytes that may be no message, or only part of one. */
    private void raw() {
        byte[] bytes = input.bytes(input.int8());
        MemorySegment.copy(bytes, 0, message, JAVA_BYTE, 0, bytes.length);
        if (bytes.length > 0) {
            socket.send(message.asSlice(0, bytes.length));
        }
        turns();
    }

    private void send(int command, int bodyBytes, int flags, int descriptors) {
        message.set(JAVA_SHORT_UNALIGNED, 0, (short) 5);
        message.set(JAVA_SHORT_UNALIGNED, 2, (short) command);
        message.set(JAVA_INT_UNALIGNED, 4, Protocol.HEADER_BYTES + bodyBytes);
        message.set(JAVA_INT_UNALIGNED, 8, flags);
        int[] passed = new int[(descriptors & 7) == 7 ? 7 : descriptors & 3];
        java.util.Arrays.fill(passed, file);
        socket.send(message.asSlice(0, Protocol.HEADER_BYTES + bodyBytes), passed);
        turns();
    }

    /** Turns the server until it answers, or long enough. */
    private void turns() {
        for (int i = 0; i < MOST_TURNS; i++) {
            server.turn();
            if (i % 64 == 63) {
                long got = socket.receive(answer);
                for (int fd : socket.takeDescriptors()) {
                    KernelCalls.instance().close(fd);
                }
                if (got != -Errno.EAGAIN) {
                    return;
                }
            }
        }
    }
}
