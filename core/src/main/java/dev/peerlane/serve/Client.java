package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.pci.Direction;
import dev.peerlane.vfiouser.Channel;
import dev.peerlane.vfiouser.Protocol;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The client that is connected to a drive. A request that can't be fulfilled is answered with an
 * error number. A message that is no valid request ends the connection.
 */
final class Client implements AutoCloseable {
    /**
     * Time limit in nanoseconds for receiving one message, for the client to read one reply, and
     * for all that comes before the version is negotiated.
     */
    static final long MESSAGE_NANOS = 5_000_000_000L;

    private static final int MAX_ACCESS_BYTES = 4096;
    private static final int CONFIG_BYTES = 4096;
    private static final String CAPABILITIES =
            "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":4096}}";

    private final Channel channel;
    private final Export export;
    private final ClientInterrupts interrupts;
    private final long cameNanos;
    private boolean greeted;
    private boolean sending;
    private boolean amid;
    private long amidSinceNanos;
    private int[] attached = {};

    Client(Channel channel, Export export, long nowNanos) {
        this.channel = channel;
        this.cameNanos = nowNanos;
        this.export = export;
        this.interrupts = new ClientInterrupts(export.controller());
    }

    int descriptor() {
        return channel.descriptor();
    }

    /**
     * Returns whether the client closed its connection. Messages that it sent before are ignored.
     */
    boolean isGone() {
        return channel.isHungUp();
    }

    /**
     * Receives one message and answers it.
     *
     * @param nowNanos a time that advances only while the server looks at its sockets
     * @return whether a message was complete
     * @throws PeerlaneException if the connection has to end
     */
    boolean serve(long nowNanos) {
        if (sending) {
            if (!channel.flush()) {
                late(nowNanos, "it does not read its replies");
                return false;
            }
            sending = false;
            amid = false;
        }
        if (!channel.receive()) {
            if (channel.isAmidMessage()) {
                late(nowNanos, "the rest of a message is missing");
            } else {
                amid = false;
                checkGreeted(nowNanos);
            }
            return false;
        }
        amid = false;
        answer();
        channel.next();
        checkGreeted(nowNanos);
        sending = !channel.flush();
        return true;
    }

    /**
     * Ends the connection of a client that has negotiated no version in time. Slow bytes or refused
     * versions don't extend the limit.
     */
    private void checkGreeted(long nowNanos) {
        if (!greeted && nowNanos - cameNanos > MESSAGE_NANOS) {
            throw violation("it does not send its version");
        }
    }

    private void late(long nowNanos, String what) {
        if (!amid) {
            amid = true;
            amidSinceNanos = greeted ? nowNanos : cameNanos;
        }
        if (nowNanos - amidSinceNanos > MESSAGE_NANOS) {
            throw violation(what);
        }
    }

    private PeerlaneException violation(String what) {
        return Protocol.violation("The client of " + export.name(), what);
    }

    private void answer() {
        int command = channel.command();
        if ((channel.flags() & Protocol.TYPE_MASK) != 0) {
            throw violation("it sends a reply to no request");
        }
        if (!greeted && command != Protocol.VERSION) {
            throw violation("it starts with request " + command + " instead of its version");
        }
        MemorySegment body = channel.body();
        attached = new int[0];
        long result;
        try {
            result =
                    switch (command) {
                        case Protocol.VERSION -> version(body);
                        case Protocol.DMA_MAP -> map(body);
                        case Protocol.DMA_UNMAP -> unmap(body);
                        case Protocol.DEVICE_GET_INFO -> info(body);
                        case Protocol.DEVICE_GET_REGION_INFO -> regionInfo(body);
                        case Protocol.DEVICE_GET_IRQ_INFO -> interruptInfo(body);
                        case Protocol.DEVICE_SET_IRQS -> setInterrupts(body);
                        case Protocol.REGION_READ -> access(body, Direction.READ);
                        case Protocol.REGION_WRITE -> access(body, Direction.WRITE);
                        case Protocol.DEVICE_RESET -> reset();
                        default -> -Errno.EOPNOTSUPP;
                    };
        } catch (PeerlaneException e) {
            result = -Errno.EINVAL;
        }
        boolean failed = result < 0;
        if ((channel.flags() & Protocol.NO_REPLY) == 0) {
            channel.send(
                    channel.id(),
                    command,
                    Protocol.REPLY | (failed ? Protocol.ERROR : 0),
                    failed ? (int) -result : 0,
                    failed ? 0 : result,
                    attached);
        }
    }

    private long version(MemorySegment body) {
        boolean known =
                body.byteSize() >= 4
                        && body.get(JAVA_SHORT_UNALIGNED, 0) == Protocol.MAJOR
                        && (body.byteSize() == 4 || endsInZero(body))
                        && !greeted;
        if (!known) {
            return -Errno.EINVAL;
        }
        greeted = true;
        int minor = Short.toUnsignedInt(body.get(JAVA_SHORT_UNALIGNED, 2));
        MemorySegment out = channel.outgoing();
        byte[] text = CAPABILITIES.getBytes(StandardCharsets.US_ASCII);
        out.set(JAVA_SHORT_UNALIGNED, 0, (short) Protocol.MAJOR);
        out.set(JAVA_SHORT_UNALIGNED, 2, (short) Math.min(minor, Protocol.MINOR));
        MemorySegment.copy(text, 0, out, JAVA_BYTE, 4, text.length);
        out.set(JAVA_BYTE, 4L + text.length, (byte) 0);
        return 5L + text.length;
    }

    private static boolean endsInZero(MemorySegment body) {
        return body.get(JAVA_BYTE, body.byteSize() - 1) == 0;
    }

    /** Returns whether a body has at least that many bytes, and its argsz field says so too. */
    private static boolean holds(MemorySegment body, int bytes) {
        return body.byteSize() >= bytes
                && Integer.compareUnsigned(body.get(JAVA_INT_UNALIGNED, 0), bytes) >= 0;
    }

    private long map(MemorySegment body) {
        int count = channel.descriptors();
        if (!holds(body, Protocol.DMA_MAP_BYTES) || count > 1) {
            return -Errno.EINVAL;
        }
        int flags = body.get(JAVA_INT_UNALIGNED, 4);
        long offset = body.get(JAVA_LONG_UNALIGNED, 8);
        long address = body.get(JAVA_LONG_UNALIGNED, 16);
        long bytes = body.get(JAVA_LONG_UNALIGNED, 24);
        boolean pages = ((offset | address | bytes) & (Protocol.PAGE_BYTES - 1)) == 0;
        boolean fits = offset >= 0 && address >= 0 && bytes > 0 && address + bytes > 0;
        if (!pages || !fits || flags <= 0 || flags > Protocol.DMA_READ_WRITE) {
            return -Errno.EINVAL;
        }
        // a mapping for one direction would need a check on every access, so it maps no memory
        boolean usable = flags == Protocol.DMA_READ_WRITE && count == 1;
        int[] passed = channel.takeDescriptors();
        try {
            export.map(usable ? passed[0] : -1, offset, address, bytes);
        } finally {
            for (int fd : passed) {
                KernelCalls.instance().close(fd);
            }
        }
        return 0;
    }

    private long unmap(MemorySegment body) {
        if (!holds(body, Protocol.DMA_UNMAP_BYTES)) {
            return -Errno.EINVAL;
        }
        int flags = body.get(JAVA_INT_UNALIGNED, 4);
        MemorySegment.copy(body, 0, channel.outgoing(), 0, Protocol.DMA_UNMAP_BYTES);
        long address = body.get(JAVA_LONG_UNALIGNED, 8);
        long bytes = body.get(JAVA_LONG_UNALIGNED, 16);
        if (flags == Protocol.DMA_UNMAP_ALL && (address | bytes) == 0) {
            export.unmapAll();
            return Protocol.DMA_UNMAP_BYTES;
        }
        if (flags != 0 || !export.unmap(address, bytes)) {
            return -Errno.EINVAL;
        }
        return Protocol.DMA_UNMAP_BYTES;
    }

    private long info(MemorySegment body) {
        if (!holds(body, Protocol.INFO_BYTES)) {
            return -Errno.EINVAL;
        }
        put(0, Protocol.INFO_BYTES);
        put(4, Protocol.DEVICE_PCI | Protocol.DEVICE_RESETS);
        put(8, Protocol.REGIONS);
        put(12, Protocol.INTERRUPT_KINDS);
        return Protocol.INFO_BYTES;
    }

    private long regionInfo(MemorySegment body) {
        int index = holds(body, Protocol.REGION_INFO_BYTES) ? body.get(JAVA_INT_UNALIGNED, 8) : -1;
        if (index < 0 || index >= Protocol.REGIONS) {
            return -Errno.EINVAL;
        }
        int room = body.get(JAVA_INT_UNALIGNED, 0);
        List<Export.Area> areas = export.areas(index);
        int full = Protocol.REGION_INFO_BYTES + (areas.isEmpty() ? 0 : 16 + 16 * areas.size());
        boolean tell = !areas.isEmpty() && Integer.compareUnsigned(room, full) >= 0;
        put(0, full);
        long bytes = regionBytes(index);
        int flags = bytes == 0 ? 0 : Protocol.REGION_READ_WRITE;
        // neither flag unless capabilities follow: QEMU refuses the flag with an offset of 0
        put(4, flags | (tell ? Protocol.REGION_MMAP | Protocol.REGION_CAPS : 0));
        put(8, index);
        put(12, tell ? Protocol.REGION_INFO_BYTES : 0);
        channel.outgoing().set(JAVA_LONG_UNALIGNED, 16, bytes);
        channel.outgoing().set(JAVA_LONG_UNALIGNED, 24, 0);
        if (!tell) {
            return Protocol.REGION_INFO_BYTES;
        }
        long at = Protocol.REGION_INFO_BYTES;
        put(at, Protocol.CAP_SPARSE_MMAP | (1 << 16));
        put(at + 4, 0);
        put(at + 8, areas.size());
        put(at + 12, 0);
        for (Export.Area area : areas) {
            at += 16;
            channel.outgoing().set(JAVA_LONG_UNALIGNED, at, area.offset());
            channel.outgoing().set(JAVA_LONG_UNALIGNED, at + 8, area.bytes());
        }
        attached = new int[] {areas.getFirst().file().fd()};
        return full;
    }

    private long regionBytes(int index) {
        return index == Protocol.CONFIG_REGION ? CONFIG_BYTES : export.barBytes(index);
    }

    private long interruptInfo(MemorySegment body) {
        int index = holds(body, Protocol.INFO_BYTES) ? body.get(JAVA_INT_UNALIGNED, 8) : -1;
        if (index < 0 || index >= Protocol.INTERRUPT_KINDS) {
            return -Errno.EINVAL;
        }
        int count = interrupts.count(index);
        put(0, Protocol.INFO_BYTES);
        put(4, count == 0 ? 0 : Protocol.IRQ_EVENTFD | Protocol.IRQ_MASKABLE);
        put(8, index);
        put(12, count);
        return Protocol.INFO_BYTES;
    }

    private long setInterrupts(MemorySegment body) {
        int[] passed = channel.takeDescriptors();
        try {
            return interrupts.set(body, passed);
        } finally {
            for (int fd : passed) {
                if (fd >= 0) {
                    KernelCalls.instance().close(fd);
                }
            }
        }
    }

    private long reset() {
        export.device().reset();
        return 0;
    }

    private long access(MemorySegment body, Direction direction) {
        if (body.byteSize() < Protocol.REGION_ACCESS_BYTES) {
            return -Errno.EINVAL;
        }
        long offset = body.get(JAVA_LONG_UNALIGNED, 0);
        int region = body.get(JAVA_INT_UNALIGNED, 8);
        int count = body.get(JAVA_INT_UNALIGNED, 12);
        boolean known = region >= 0 && region < Protocol.REGIONS;
        long behind = body.byteSize() - Protocol.REGION_ACCESS_BYTES;
        if (!known
                || count <= 0
                || count > MAX_ACCESS_BYTES
                || offset < 0
                || offset > regionBytes(region) - count
                || (direction == Direction.WRITE && behind != count)) {
            return -Errno.EINVAL;
        }
        MemorySegment out = channel.outgoing();
        MemorySegment.copy(body, 0, out, 0, Protocol.REGION_ACCESS_BYTES);
        MemorySegment data =
                direction == Direction.WRITE
                        ? body.asSlice(Protocol.REGION_ACCESS_BYTES, count)
                        : out.asSlice(Protocol.REGION_ACCESS_BYTES, count);
        boolean done =
                region == Protocol.CONFIG_REGION
                        ? config((int) offset, data, direction)
                        : bar(export.device().bar(region), offset, data, direction);
        if (!done) {
            return -Errno.EINVAL;
        }
        return (long) Protocol.REGION_ACCESS_BYTES + (direction == Direction.WRITE ? 0 : count);
    }

    private boolean config(int offset, MemorySegment data, Direction direction) {
        ConfigSpace config = export.device().config();
        int count = (int) data.byteSize();
        if (direction == Direction.READ) {
            for (int i = 0; i < count; i++) {
                data.set(JAVA_BYTE, i, (byte) config.load8(offset + i));
            }
            return true;
        }
        int at = 0;
        while (at < count) {
            int where = offset + at;
            if ((where & 3) == 0 && count - at >= 4) {
                config.store32(where, data.get(JAVA_INT_UNALIGNED, at));
                at += 4;
            } else if ((where & 1) == 0 && count - at >= 2) {
                config.store16(where, data.get(JAVA_SHORT_UNALIGNED, at));
                at += 2;
            } else {
                int shift = 8 * (where & 1);
                int half = config.load16(where & ~1) & ~(0xff << shift);
                config.store16(where & ~1, half | ((data.get(JAVA_BYTE, at) & 0xff) << shift));
                at++;
            }
        }
        return true;
    }

    /** Accesses a BAR: registers 4 or 8 bytes at a time, CMB bytes in any multiple of 4. */
    private static boolean bar(Bar bar, long offset, MemorySegment data, Direction direction) {
        long count = data.byteSize();
        if (((offset | count) & 3) != 0) {
            return false;
        }
        if (count == 8 && (offset & 7) == 0) {
            if (direction == Direction.WRITE) {
                bar.store64(offset, data.get(JAVA_LONG_UNALIGNED, 0));
            } else {
                data.set(JAVA_LONG_UNALIGNED, 0, bar.load64(offset));
            }
        } else if (direction == Direction.WRITE) {
            bar.store(offset, data);
        } else {
            bar.load(offset, data);
        }
        return true;
    }

    private void put(long offset, int value) {
        channel.outgoing().set(JAVA_INT_UNALIGNED, offset, value);
    }

    @Override
    public void close() {
        try {
            interrupts.close();
        } finally {
            channel.close();
        }
    }
}
