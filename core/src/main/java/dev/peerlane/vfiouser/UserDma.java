package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.MemoryFile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * One file in memory, of which every server has the descriptor. It grows in chunks, since servers
 * take few mappings; a chunk lies at its offset in the file, from {@link #FIRST} on.
 */
final class UserDma extends DmaDomain implements AutoCloseable {
    /** Where memory begins on the bus. */
    static final long FIRST = 0x1_0000_0000L;

    /** Where memory ends on the bus. */
    static final long LIMIT = 0x40_0000_0000L;

    private static final int PAGE = Protocol.PAGE_BYTES;
    private static final long CHUNK_BYTES = 64L << 20;

    private record Chunk(Mapping mapping, long busAddress, long bytes, BitSet used) {
        /** Takes pages in a row; answers their offset, or -1. */
        long take(long wanted) {
            int pages = (int) (bytes / PAGE);
            int count = (int) Math.min(wanted / PAGE, Integer.MAX_VALUE);
            int at = used.nextClearBit(0);
            while (count <= pages - at) {
                int next = used.nextSetBit(at);
                if (next < 0 || next - at >= count) {
                    used.set(at, at + count);
                    return (long) at * PAGE;
                }
                at = used.nextClearBit(next);
            }
            return -1;
        }
    }

    private final List<UserFunction> functions;
    private final List<Chunk> chunks = new ArrayList<>();
    private final int fd;
    private long fileBytes;
    private boolean closed;

    UserDma(List<UserFunction> functions) {
        this.functions = functions;
        fd =
                (int)
                        KernelException.check(
                                MemoryFile.create("peerlane-dma", 0),
                                "no-dma-memory",
                                "memfd_create",
                                "memory for DMA",
                                "See how many files are open");
    }

    @Override
    public int pageBytes() {
        return PAGE;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        if (sizeBytes <= 0 || sizeBytes > LIMIT) {
            throw new IllegalArgumentException("a buffer of " + sizeBytes + " bytes");
        }
        long bytes = (sizeBytes + PAGE - 1) & -PAGE;
        for (Chunk chunk : chunks) {
            long offset = chunk.take(bytes);
            if (offset >= 0) {
                return new Buffer(chunk, offset, bytes);
            }
        }
        Chunk chunk = grow(Math.max(bytes, CHUNK_BYTES));
        return new Buffer(chunk, chunk.take(bytes), bytes);
    }

    private Chunk grow(long bytes) {
        String object = bytes + " bytes of memory for DMA";
        long offset = fileBytes;
        if (FIRST + offset > LIMIT - bytes) {
            throw PeerlaneException.machine(
                    "no-dma-memory", object + " can't be had", "Use smaller buffers");
        }
        KernelException.check(
                MemoryFile.resize(fd, offset + bytes),
                "no-dma-memory",
                "ftruncate",
                object,
                "Use smaller buffers");
        fileBytes += bytes;
        Mapping mapping = Mapping.of(fd, offset, bytes, object);
        try {
            long busAddress = FIRST + offset;
            mapEverywhere(functions, fd, offset, busAddress, bytes);
            Chunk chunk = new Chunk(mapping, busAddress, bytes, new BitSet());
            chunks.add(chunk);
            return chunk;
        } catch (RuntimeException e) {
            mapping.close();
            throw e;
        }
    }

    /** Maps a part of a file into every one of some devices, or into none. */
    private static void mapEverywhere(
            List<UserFunction> devices, int fd, long offset, long busAddress, long bytes) {
        List<UserFunction> mapped = new ArrayList<>();
        try {
            for (UserFunction device : devices) {
                device.link().mapDma(fd, offset, busAddress, bytes);
                mapped.add(device);
            }
        } catch (RuntimeException e) {
            try {
                unmapEverywhere(mapped, busAddress, bytes);
            } catch (RuntimeException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    private static void unmapEverywhere(List<UserFunction> devices, long busAddress, long bytes) {
        RuntimeException first = null;
        for (UserFunction device : devices) {
            try {
                device.link().unmapDma(busAddress, bytes);
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        if (!(owner instanceof UserDevice device)
                || !(bar instanceof UserBar window)
                || !device.isOpen()
                || !functions.contains(device.function())
                || !device.function().bars().contains(window)) {
            throw PeerlaneException.machine(
                    "foreign-bar",
                    "BAR " + bar.index() + " of " + owner.locator() + " is not of this fabric",
                    "Map BARs of devices that were opened from this fabric");
        }
        if (((offset | sizeBytes) & (PAGE - 1)) != 0
                || offset < 0
                || sizeBytes <= 0
                || offset > window.sizeBytes() - sizeBytes) {
            throw new IllegalArgumentException(
                    "range 0x%x, 0x%x of a BAR of 0x%x bytes"
                            .formatted(offset, sizeBytes, window.sizeBytes()));
        }
        Region region = window.region();
        if (window.area(offset, sizeBytes) == null) {
            throw PeerlaneException.machine(
                    "peer-unreachable",
                    "BAR %d of %s can't be mapped at 0x%x: its server gives no descriptor for it"
                            .formatted(bar.index(), owner.locator(), offset),
                    "Use a server that does, such as peerlane serve");
        }
        List<UserFunction> others = functions.stream().filter(f -> f != device.function()).toList();
        Peer peer = new Peer(others, window.pciAddress() + offset, sizeBytes);
        mapEverywhere(
                others, region.fd(), region.fileOffset() + offset, peer.busAddress(), sizeBytes);
        return peer;
    }

    /** Unmaps and frees all of it. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        chunks.forEach(chunk -> chunk.mapping.close());
        chunks.clear();
        KernelCalls.instance().close(fd);
    }

    /** Pages of a chunk. */
    private static final class Buffer extends DmaBuffer {
        private final Chunk chunk;
        private final long offset;
        private final MemorySegment segment;
        private boolean closed;

        Buffer(Chunk chunk, long offset, long bytes) {
            this.chunk = chunk;
            this.offset = offset;
            this.segment = chunk.mapping.segment().asSlice(offset, bytes);
            segment.fill((byte) 0);
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public long address() {
            return segment.address();
        }

        @Override
        public long busAddress() {
            return chunk.busAddress + offset;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                long end = offset + segment.byteSize();
                chunk.used.clear((int) (offset / PAGE), (int) (end / PAGE));
            }
        }
    }

    /** A BAR's range, mapped into all devices but its owner. */
    private static final class Peer extends PeerMapping {
        private final List<UserFunction> devices;
        private final long busAddress;
        private final long sizeBytes;
        private boolean closed;

        Peer(List<UserFunction> devices, long busAddress, long sizeBytes) {
            this.devices = devices;
            this.busAddress = busAddress;
            this.sizeBytes = sizeBytes;
        }

        @Override
        public long busAddress() {
            return busAddress;
        }

        @Override
        public long sizeBytes() {
            return sizeBytes;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                unmapEverywhere(devices, busAddress, sizeBytes);
            }
        }
    }
}
