package dev.peerlane.vfiouser;

import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.MemoryFile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Memory that some servers share with this process and with each other, and no other server. It
 * grows in chunks, since servers take few mappings; each chunk is a file of its own.
 */
final class SharedMemory implements AutoCloseable {
    private static final int PAGE = Protocol.PAGE_BYTES;
    private static final long CHUNK_BYTES = 64L << 20;

    private static final class Chunk {
        private final int fd;
        private final Mapping mapping;
        private final long busAddress;
        private final BitSet used = new BitSet();
        private boolean closed;

        Chunk(int fd, Mapping mapping, long busAddress) {
            this.fd = fd;
            this.mapping = mapping;
            this.busAddress = busAddress;
        }

        /** Takes pages in a row; answers their offset, or -1. */
        long take(long wanted) {
            int pages = (int) (mapping.segment().byteSize() / PAGE);
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

        /** Gives pages back. What was in them is not for whoever comes next, nor for a server. */
        void free(long offset, long bytes) {
            if (closed) {
                return;
            }
            used.clear((int) (offset / PAGE), (int) ((offset + bytes) / PAGE));
            KernelException.check(
                    MemoryFile.clear(fd, offset, bytes),
                    "dma-memory-not-cleared",
                    "fallocate",
                    "memory for DMA",
                    "End the process: its servers can still read what was in that memory");
        }

        void close() {
            closed = true;
            mapping.close();
            KernelCalls.instance().close(fd);
        }
    }

    private final UserDma domain;
    private final List<UserFunction> functions;
    private final List<Chunk> chunks = new ArrayList<>();

    /**
     * Creates it, empty.
     *
     * @param domain gives out its bus addresses
     * @param functions whose servers get it
     */
    SharedMemory(UserDma domain, List<UserFunction> functions) {
        this.domain = domain;
        this.functions = functions;
    }

    /**
     * Returns zeroed memory.
     *
     * @param bytes whole pages
     */
    DmaBuffer allocate(long bytes) {
        domain.checkThread();
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
        long busAddress = domain.freeAddresses(bytes);
        int fd =
                (int)
                        KernelException.check(
                                MemoryFile.create("peerlane-dma", bytes),
                                "no-dma-memory",
                                "memfd_create",
                                object,
                                "Use smaller buffers, and see how many files are open");
        Mapping mapping = null;
        boolean done = false;
        try {
            mapping = Mapping.of(fd, 0, bytes, object);
            UserDma.mapInto(functions, fd, 0, busAddress, bytes);
            done = true;
        } finally {
            if (!done) {
                if (mapping != null) {
                    mapping.close();
                }
                KernelCalls.instance().close(fd);
            }
        }
        domain.taken(busAddress + bytes);
        Chunk chunk = new Chunk(fd, mapping, busAddress);
        chunks.add(chunk);
        return chunk;
    }

    /** Frees all of it in this process; the servers lose it with their connection. */
    @Override
    public void close() {
        chunks.forEach(Chunk::close);
        chunks.clear();
    }

    /** Pages of a chunk. */
    private final class Buffer extends DmaBuffer {
        private final Chunk chunk;
        private final long offset;
        private final MemorySegment segment;
        private boolean closed;

        Buffer(Chunk chunk, long offset, long bytes) {
            this.chunk = chunk;
            this.offset = offset;
            this.segment = chunk.mapping.segment().asSlice(offset, bytes);
            segment.fill((byte) 0); // a late write of a device, and pages that are there at once
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
            domain.checkThread();
            if (!closed) {
                closed = true;
                chunk.free(offset, segment.byteSize());
            }
        }
    }
}
