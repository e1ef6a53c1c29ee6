package dev.peerlane.fuzz;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.vfiouser.Protocol;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A server that answers our client roughly as a valid server would, changed by the input. */
final class FuzzedUserServer extends Clock {
    private static final long TURN_NANOS = 1_000_000;
    private static final long TIMEOUT_NANOS = 20_000_000;
    private static final int FILE_BYTES = 0x4000;
    private static final int MOST_ANSWERS = 400;

    private final Input input;
    private final UnixSocket listener = UnixSocket.create();
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment request = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    private final MemorySegment answer = arena.allocate(Protocol.MAX_MESSAGE_BYTES, 8);
    private final int file = (int) MemoryFile.create("fuzz-server", FILE_BYTES);
    private @Nullable UnixSocket connection;
    private long nanos;
    private int answers;

    private FuzzedUserServer(Input input) {
        this.input = input;
    }

    static void run(Input input, Path path) {
        FuzzedUserServer server = new FuzzedUserServer(input);
        if (server.listener.bind(path.toString()) < 0 || server.listener.listen(1) < 0) {
            throw new AssertionError("no socket at " + path);
        }
        try (VfioUserFabric fabric = VfioUserFabric.open(List.of(path), server, TIMEOUT_NANOS);
                PciDevice device = fabric.open(fabric.locators().getFirst())) {
            server.use(fabric, device);
        } catch (PeerlaneException e) {
            Refusals.check(e);
        } finally {
            server.end();
        }
    }

    private void use(VfioUserFabric fabric, PciDevice device) {
        Bar bar = device.bar(0);
        bar.load32(0x1c);
        bar.store32(0x14, 1);
        bar.load64(8);
        fabric.machine();
        try (DmaBuffer memory = fabric.dma().allocate(4096)) {
            memory.admit(device.bdf());
            bar.store64(0x28, memory.busAddress());
        }
        if (bar.sizeBytes() >= 0x2000) {
            bar.doorbell(0x1000).ring(1);
        }
        Bar memory = device.bar(2);
        if (memory.sizeBytes() >= 0x2000) {
            try (PeerMapping mapping = fabric.dma().mapPeer(device, memory, 0x1000, 0x1000)) {
                mapping.busAddress();
            }
        }
        device.reset();
        bar.load32(0x1c);
    }

    private void end() {
        if (connection != null) {
            connection.close();
        }
        listener.close();
        KernelCalls.instance().close(file);
        arena.close();
    }

    @Override
    public long nanoTime() {
        return nanos;
    }

    @Override
    public void turn() {
        nanos += TURN_NANOS;
        UnixSocket client = connection;
        if (client == null) {
            long fd = listener.accept();
            connection = fd < 0 ? null : UnixSocket.of(fd);
            return;
        }
        long got = client.receive(request);
        for (int fd : client.takeDescriptors()) {
            KernelCalls.instance().close(fd);
        }
        if (got >= Protocol.HEADER_BYTES) {
            if (++answers > MOST_ANSWERS) {
                throw new AssertionError("the client asks forever");
            }
            answer(client);
        }
    }

    private void answer(UnixSocket client) {
        answer.asSlice(0, 256).fill((byte) 0);
        int command = request.get(JAVA_SHORT_UNALIGNED, 2);
        int length = Protocol.HEADER_BYTES + body(command);
        MemorySegment.copy(request, 0, answer, 0, 4);
        answer.set(JAVA_INT_UNALIGNED, 4, length);
        answer.set(JAVA_INT_UNALIGNED, 8, Protocol.REPLY);
        int descriptors = command == Protocol.DEVICE_GET_REGION_INFO ? 1 : 0;
        int change = input.int8();
        if ((change & 1) != 0) { // an input of zeroes never does this
            for (int i = change >>> 5; i >= 0; i--) {
                answer.set(JAVA_BYTE, input.below(Math.min(256, length)), (byte) input.int8());
            }
        }
        if ((change & 2) != 0) {
            length = Math.min(length, input.int8());
        }
        if ((change & 4) != 0) {
            descriptors = input.below(8);
        }
        if ((change & 8) != 0) {
            answer.set(JAVA_INT_UNALIGNED, 4, input.int16());
        }
        if (change == 0x50) {
            client.close();
            connection = null;
            return;
        }
        int[] passed = new int[descriptors];
        java.util.Arrays.fill(passed, file);
        if (length > 0) {
            client.send(answer.asSlice(0, length), passed);
        }
    }

    /** Writes the body that a valid server would send, and returns its length. */
    private int body(int command) {
        switch (command) {
            case Protocol.VERSION -> {
                answer.set(JAVA_SHORT_UNALIGNED, 18, (short) 1);
                return 5;
            }
            case Protocol.DEVICE_GET_INFO -> {
                words(16, Protocol.DEVICE_PCI | Protocol.DEVICE_RESETS, Protocol.REGIONS, 5);
                return 16;
            }
            case Protocol.DEVICE_GET_REGION_INFO -> {
                int index = request.get(JAVA_INT_UNALIGNED, 24);
                boolean mappable = index == 0 || index == 2;
                long size = mappable ? FILE_BYTES : index == 7 ? 4096 : 0;
                words(mappable ? 64 : 32, mappable ? 0xf : 3, index, mappable ? 32 : 0);
                answer.set(JAVA_LONG_UNALIGNED, 32, size);
                answer.set(JAVA_INT_UNALIGNED, 48, Protocol.CAP_SPARSE_MMAP | 1 << 16);
                answer.set(JAVA_INT_UNALIGNED, 56, 1);
                answer.set(JAVA_LONG_UNALIGNED, 64, 0x1000);
                answer.set(JAVA_LONG_UNALIGNED, 72, 0x1000);
                return mappable ? 64 : 32;
            }
            case Protocol.REGION_READ -> {
                MemorySegment.copy(request, 16, answer, 16, 16);
                answer.set(JAVA_INT_UNALIGNED, 32, input.int8());
                return 16 + Math.min(8, request.get(JAVA_INT_UNALIGNED, 28));
            }
            case Protocol.REGION_WRITE -> {
                MemorySegment.copy(request, 16, answer, 16, 16);
                return 16;
            }
            default -> {
                return 0;
            }
        }
    }

    private void words(int... words) {
        for (int i = 0; i < words.length; i++) {
            answer.set(JAVA_INT_UNALIGNED, 16 + 4L * i, words[i]);
        }
    }
}
