package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.Mischief;
import dev.peerlane.linux.UnixSocket;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A vfio-user server that behaves as SPDK's NVMe target was observed to, written from those
 * observations and not from Peerlane's own server. Behind it is an emulated controller without a
 * CMB. It runs on the client's thread, in {@link #clock}, in virtual time.
 *
 * <p>It is as strict as SPDK's: it answers one message a millisecond and one client at a time, and
 * refuses messages that are too short, too long or out of sequence. Its controller fails when it
 * raises an interrupt for which there is no eventfd. The Command register keeps its value from one
 * client to the next.
 */
final class SpdkLikeServer implements AutoCloseable {
    static final long BAR0_BYTES = 0x4000;
    static final long DOORBELLS = 0x1000;
    static final int DRIVE_BYTES = 1 << 20;

    /** The default capabilities that libvfio-user reports. */
    static final String VERSION_TEXT =
            "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,"
                    + "\"twin_socket\":{\"supported\":false},"
                    + "\"migration\":{\"pgsize\":4096,\"max_bitmap_size\":256}}}";

    private static final int EPERM = 1;
    private static final int EINVAL = 22;
    private static final int CONFIG_BYTES = 4096;
    private static final int NO_ANSWER = -1;

    /** Sees each reply before it is sent, and may change it. Returns the reply's length. */
    interface Tamper {
        int change(int command, MemorySegment answer, int length, List<Integer> descriptors);
    }

    /** The contents of a received request. */
    record Asked(int command, int region, long offset, int count, int room, int descriptors) {}

    final List<Asked> asked = new ArrayList<>();
    String versionText = VERSION_TEXT;
    int maxTransferBytes = 1 << 20;
    int mostMappings = 64;
    boolean doorbellsMappable = true;
    int otherCapabilityBytes;
    Tamper tamper = (command, answer, length, descriptors) -> length;
    int mappedBeforeEnable = -1;

    /** Time until which the server does not look at its socket. */
    long busyUntilNanos;

    /** Number of turns after which the server truncates the file of its doorbells and stops. */
    int turnsToShorten;

    /** Whether a reset clears Command and BARs, as PCIe 5.0 (6.6.2) requires. SPDK's does not. */
    boolean resetClearsConfiguration;

    /** Whether the controller is stopped, while messages are still answered. */
    boolean stalled;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment request = arena.allocate(1 << 16, 8);
    private final MemorySegment answer = arena.allocate(1 << 16, 8);
    private final UnixSocket listener = UnixSocket.create();
    private final int doorbellFile = Mischief.unsealed("spdk-bar0", BAR0_BYTES);
    private final Mapping doorbells = Mapping.of(doorbellFile, 0, BAR0_BYTES, "BAR 0");
    private final TreeMap<Long, Mapping> memory = new TreeMap<>();
    private final TreeMap<Long, Long> ranges = new TreeMap<>();
    private final EmulatedFabric fabric;
    private final EmulatedController controller;
    private final PciDevice device;
    private UnixSocket connection;
    private int lastId = -1;
    private boolean negotiated;
    private long nanos;
    private boolean shutdownSeen;
    private boolean fatal;
    private long answeredBefore;

    final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return nanos;
                }

                @Override
                public void turn() {
                    if (turnsToShorten > 0 && --turnsToShorten == 0) {
                        stalled = true; // its own accesses to the file would be the first to fault
                        assertThat(Mischief.resize(doorbellFile, 0)).isZero();
                    }
                    nanos += 100_000; // ten turns make a millisecond
                    if (!stalled && !fatal) {
                        fabric.clock().turn();
                        raise();
                    }
                    if (nanos % 1_000_000 == 0 && nanos >= busyUntilNanos) {
                        serve();
                    }
                }
            };

    SpdkLikeServer(Path socket) {
        DriveModel drive =
                DriveModel.named("n")
                        .memory(DRIVE_BYTES, 512)
                        .maxQueueEntries(256)
                        .ioQueues(127)
                        .mdts(5)
                        .sgls(DriveModel.Sgls.BYTES)
                        .build();
        fabric =
                new EmulatedFabric(
                        FabricModel.builder().drive(drive).time(FabricModel.Time.VIRTUAL).build());
        controller = fabric.controller("n");
        controller.watchDoorbells(doorbells.segment().asSlice(DOORBELLS, 4096));
        device = fabric.open("emu:n");
        assertThat(listener.bind(socket.toString())).isZero();
        assertThat(listener.listen(4)).isZero();
    }

    EmulatedController controller() {
        return controller;
    }

    /** Returns the number of mapped ranges of the client's memory. */
    int mappings() {
        return ranges.size();
    }

    /** Returns whether no client is connected. */
    boolean isIdle() {
        return connection == null;
    }

    /** Returns whether the client has read a CSTS that reports a complete shutdown. */
    boolean shutdownSeen() {
        return shutdownSeen;
    }

    /** Returns whether the controller has failed. */
    boolean isFatal() {
        return fatal;
    }

    /** Simulates the end of the server's process. */
    void vanish() {
        connection.close();
        connection = null;
        listener.close();
    }

    /**
     * Raises the interrupt of an admin completion: INTx unless that is disabled, and MSI-X if that
     * is enabled. There is no eventfd for either, which is fatal.
     */
    private void raise() {
        ConfigSpace config = device.config();
        boolean intx = (config.load16(ConfigSpace.COMMAND) & 1 << 10) == 0;
        int msix = config.capability(ConfigSpace.CAP_MSIX).orElseThrow();
        boolean enabled = (config.load16(msix + 2) & 1 << 15) != 0;
        long answered = 0;
        for (int opcode = 0; opcode < 256; opcode++) {
            answered += controller.statistics().adminCommands(opcode);
        }
        fatal = (intx || enabled) && answered > answeredBefore;
        answeredBefore = answered;
    }

    private void serve() {
        if (connection == null) {
            long fd = listener.accept(); // a second client can connect, but gets no reply
            if (fd < 0) {
                return;
            }
            connection = UnixSocket.of(fd);
            negotiated = false;
            lastId = -1;
        }
        long got = connection.receive(request.asSlice(0, Protocol.HEADER_BYTES));
        int[] passed = connection.takeDescriptors();
        try {
            if (got == 0 || got == -104) {
                gone();
            } else if (got > 0) {
                answer(passed);
            }
        } finally {
            for (int one : passed) {
                KernelCalls.instance().close(one);
            }
        }
    }

    private void gone() {
        connection.close();
        connection = null;
        reset();
        List.copyOf(ranges.keySet()).forEach(this::unmap);
    }

    /**
     * Resets the controller. The Command register keeps its value unless the test chose otherwise.
     */
    private void reset() {
        device.reset();
        if (resetClearsConfiguration) {
            device.config().store16(ConfigSpace.COMMAND, 0);
            for (int index = 0; index < 6; index++) {
                device.config().store32(ConfigSpace.BAR0 + 4 * index, 0);
            }
        }
        fatal = false;
    }

    private void answer(int[] passed) {
        int command = Short.toUnsignedInt(request.get(JAVA_SHORT_UNALIGNED, 2));
        int length = request.get(JAVA_INT_UNALIGNED, 4) - Protocol.HEADER_BYTES;
        assertThat(length).as("body of request %d", command).isBetween(0, 1 << 12);
        MemorySegment body = request.asSlice(Protocol.HEADER_BYTES, length);
        if (length > 0) {
            assertThat(connection.receive(body)).isEqualTo(length);
        }
        List<Integer> out = new ArrayList<>();
        answer.fill((byte) 0);
        boolean inOrder = isInOrder(command, request.get(JAVA_INT_UNALIGNED, 8), body);
        int result = inOrder ? handle(command, body, passed, out) : -EINVAL;
        int total = Protocol.HEADER_BYTES + Math.max(0, result);
        answer.set(JAVA_SHORT_UNALIGNED, 0, request.get(JAVA_SHORT_UNALIGNED, 0));
        answer.set(JAVA_SHORT_UNALIGNED, 2, (short) command);
        answer.set(JAVA_INT_UNALIGNED, 4, total);
        answer.set(JAVA_INT_UNALIGNED, 8, result < 0 ? 0x21 : 1);
        answer.set(JAVA_INT_UNALIGNED, 12, result < 0 ? -result : 0);
        int sent = tamper.change(command, answer, total, out);
        if (sent == NO_ANSWER) {
            gone();
        } else if (sent > 0) {
            connection.send(
                    answer.asSlice(0, sent), out.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    /**
     * Returns whether a message is a request of the right length, with the next identifier, and
     * after the version.
     */
    private boolean isInOrder(int command, int flags, MemorySegment body) {
        int id = Short.toUnsignedInt(request.get(JAVA_SHORT_UNALIGNED, 0));
        boolean next = lastId < 0 || id == ((lastId + 1) & 0xffff);
        lastId = id;
        boolean version = command == 1;
        boolean first = version != negotiated;
        negotiated |= version;
        long bytes = body.byteSize();
        boolean whole =
                switch (command) {
                    case 1 -> bytes > 4 && body.get(JAVA_BYTE, bytes - 1) == 0;
                    case 2, 5 -> bytes == 32;
                    case 3 -> bytes == 24;
                    case 4, 9 -> bytes == 16;
                    case 10 -> bytes > 16;
                    default -> bytes == 0;
                };
        return next && first && whole && flags == 0;
    }

    /** Writes the reply's body after its header. Returns its length, or a negated error number. */
    private int handle(int command, MemorySegment body, int[] passed, List<Integer> out) {
        switch (command) {
            case 1 -> {
                asked.add(new Asked(command, -1, 0, 0, 0, passed.length));
                return version();
            }
            case 4 -> {
                int room = body.get(JAVA_INT_UNALIGNED, 0);
                asked.add(new Asked(command, -1, 0, 0, room, 0));
                put(0, 16, 3, 9, 5);
                return room < 16 ? -EINVAL : 16;
            }
            case 5 -> {
                return regionInfo(body, out);
            }
            case 2, 3 -> {
                return dma(command, body, passed);
            }
            case 9, 10 -> {
                return access(command, body);
            }
            case 13 -> {
                asked.add(new Asked(command, -1, 0, 0, 0, 0));
                reset();
                return 0;
            }
            default -> {
                return -EINVAL;
            }
        }
    }

    private void put(long at, int... words) {
        for (int i = 0; i < words.length; i++) {
            answer.set(JAVA_INT_UNALIGNED, Protocol.HEADER_BYTES + at + 4L * i, words[i]);
        }
    }

    private int version() {
        put(0, 1 << 16);
        byte[] text = versionText.getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(text, 0, answer, JAVA_BYTE, Protocol.HEADER_BYTES + 4, text.length);
        return 4 + text.length + (text.length > 0 ? 1 : 0);
    }

    private long regionBytes(int index) {
        return switch (index) {
            case 0 -> BAR0_BYTES;
            case 4, 5 -> 0x1000; // MSI-X table and pending bits
            case 7 -> CONFIG_BYTES;
            default -> 0;
        };
    }

    private int regionInfo(MemorySegment body, List<Integer> out) {
        int room = body.get(JAVA_INT_UNALIGNED, 0);
        int index = body.get(JAVA_INT_UNALIGNED, 8);
        asked.add(new Asked(5, index, 0, 0, room, 0));
        if (room < 32 || index < 0 || index > 8) {
            return -EINVAL;
        }
        boolean mappable = index == 0 && doorbellsMappable;
        int needed = mappable ? 64 + otherCapabilityBytes : 32;
        boolean fits = mappable && room >= needed;
        put(0, needed, 3 | (mappable ? 4 : 0) | (fits ? 8 : 0), index, fits ? 32 : 0);
        answer.set(JAVA_LONG_UNALIGNED, Protocol.HEADER_BYTES + 16, regionBytes(index));
        if (!fits) {
            return 32;
        }
        long at = 32;
        if (otherCapabilityBytes > 0) { // an unknown capability comes first
            put(at, 0x1_0077, 32 + otherCapabilityBytes);
            at += otherCapabilityBytes;
        }
        put(at, 0x1_0001, 0, 1, 0, (int) DOORBELLS, 0, 0x1000, 0);
        out.add(doorbellFile);
        return needed;
    }

    private int dma(int command, MemorySegment body, int[] passed) {
        boolean map = command == 2;
        long address = body.get(JAVA_LONG_UNALIGNED, map ? 16 : 8);
        long bytes = body.get(JAVA_LONG_UNALIGNED, map ? 24 : 16);
        int room = body.get(JAVA_INT_UNALIGNED, 0);
        asked.add(new Asked(command, -1, address, 0, room, passed.length));
        if (!map) {
            if (room < 24 || !Long.valueOf(bytes).equals(ranges.get(address))) {
                return -EINVAL;
            }
            unmap(address);
            MemorySegment.copy(body, 0, answer, Protocol.HEADER_BYTES, 24);
            return 24;
        }
        Map.Entry<Long, Long> below = ranges.lowerEntry(address + bytes);
        boolean overlaps = below != null && below.getKey() + below.getValue() > address;
        boolean pages = bytes > 0 && ((address | bytes) & 4095) == 0;
        if (room < 32 || overlaps || !pages || ranges.size() == mostMappings) {
            return -EINVAL;
        }
        ranges.put(address, bytes);
        if (passed.length > 0) { // else the reply is the same, and no memory is mapped
            long offset = body.get(JAVA_LONG_UNALIGNED, 8);
            Mapping mapping = Mapping.of(passed[0], offset, bytes, "the client's memory");
            memory.put(address, mapping);
            assertThat(fabric.attachMemory(address, mapping.segment())).isTrue();
        }
        return 0; // no body
    }

    private void unmap(long address) {
        ranges.remove(address);
        Mapping mapping = memory.remove(address);
        if (mapping != null) {
            fabric.detachMemory(address);
            mapping.close();
        }
    }

    private int access(int command, MemorySegment body) {
        boolean write = command == 10;
        long offset = body.get(JAVA_LONG_UNALIGNED, 0);
        int region = body.get(JAVA_INT_UNALIGNED, 8);
        int count = body.get(JAVA_INT_UNALIGNED, 12);
        asked.add(new Asked(command, region, offset, count, 0, 0));
        boolean inside =
                region >= 0
                        && region < 9
                        && count > 0
                        && count <= maxTransferBytes
                        && offset >= 0
                        && offset <= regionBytes(region) - count;
        if (!inside || (write && body.byteSize() != 16 + count)) {
            return -EINVAL;
        }
        MemorySegment.copy(body, 0, answer, Protocol.HEADER_BYTES, 16);
        MemorySegment data =
                write ? body.asSlice(16) : answer.asSlice(Protocol.HEADER_BYTES + 16, count);
        int problem =
                region == 0
                        ? registers(offset, data, write)
                        : region == 7 ? config((int) offset, data, write) : 0;
        return problem != 0 ? -problem : 16 + (write ? 0 : count);
    }

    /** Accesses registers in 4 or 8 bytes only. A doorbell can be written and not read. */
    private int registers(long offset, MemorySegment data, boolean write) {
        Bar bar = device.bar(0);
        long count = data.byteSize();
        if ((count != 4 && count != 8) || offset % count != 0) {
            return EINVAL;
        }
        if (offset >= DOORBELLS) {
            if (!write || count != 4 || offset >= DOORBELLS + 0x1000) {
                return EPERM;
            }
            doorbells.segment().set(JAVA_INT_UNALIGNED, offset, data.get(JAVA_INT_UNALIGNED, 0));
            return 0;
        }
        if (write && offset == 0x14 && (data.get(JAVA_INT_UNALIGNED, 0) & 1) != 0) {
            mappedBeforeEnable = memory.size();
        } else if (write && offset == 0x14) {
            fatal = false; // disabling the controller clears the failure
        }
        if (write && count == 8) {
            bar.store64(offset, data.get(JAVA_LONG_UNALIGNED, 0));
        } else if (write) {
            bar.store32(offset, data.get(JAVA_INT_UNALIGNED, 0));
        } else if (count == 8) {
            data.set(JAVA_LONG_UNALIGNED, 0, bar.load64(offset));
        } else {
            int value = bar.load32(offset) | (fatal && offset == 0x1c ? 2 : 0);
            shutdownSeen |= offset == 0x1c && (value & 0xc) == 8;
            data.set(JAVA_INT_UNALIGNED, 0, value);
        }
        return 0;
    }

    private int config(int offset, MemorySegment data, boolean write) {
        ConfigSpace config = device.config();
        int count = (int) data.byteSize();
        for (int i = 0; !write && i < count; i++) {
            data.set(JAVA_BYTE, i, (byte) config.load8(offset + i));
        }
        if (write && count == 4) {
            config.store32(offset, data.get(JAVA_INT_UNALIGNED, 0));
        } else if (write && count == 2) {
            config.store16(offset, data.get(JAVA_SHORT_UNALIGNED, 0));
        }
        return 0;
    }

    @Override
    public void close() {
        if (connection != null) {
            gone();
        }
        listener.close();
        fabric.close();
        doorbells.close();
        KernelCalls.instance().close(doorbellFile);
        arena.close();
    }
}
