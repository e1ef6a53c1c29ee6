package dev.peerlane.fuzz;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Host memory for the fuzzed device. It is allocated in order and never reused in a run, so a late
 * write by the device is detected and does no harm. Notifies the device of freed memory.
 */
final class FuzzedMemory extends DmaDomain {
    private static final int PAGE = 4096;
    private static final long BUS = 0x1_0000_0000L;
    private static final long BYTES = 16 << 20;
    private static final MemorySegment POOL = Arena.global().allocate(BYTES, PAGE);

    /** Receives the memory that the driver frees. */
    interface Watcher {
        void freed(long busAddress, long bytes);
    }

    private final Watcher watcher;
    private long used;
    private int open;
    private int mapped;

    FuzzedMemory(Watcher watcher) {
        this.watcher = watcher;
    }

    /** Returns the bytes at a bus address, or null if nothing was ever allocated there. */
    @Nullable MemorySegment at(long bus, long bytes) {
        long offset = bus - BUS;
        return offset < 0 || bytes < 0 || offset > used - bytes
                ? null
                : POOL.asSlice(offset, bytes);
    }

    /** Returns a description of what was not freed, or an empty string. */
    String leaks() {
        return open == 0 && mapped == 0
                ? ""
                : "%d buffers and %d mappings are left".formatted(open, mapped);
    }

    @Override
    public int pageBytes() {
        return PAGE;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        long bytes = (sizeBytes + PAGE - 1) & -PAGE;
        if (sizeBytes <= 0) {
            throw new IllegalArgumentException("no size: " + sizeBytes);
        }
        if (bytes > BYTES - used) {
            throw PeerlaneException.machine("no-memory", "memory is used up", "none");
        }
        MemorySegment memory = POOL.asSlice(used, bytes).fill((byte) 0);
        long bus = BUS + used;
        used += bytes;
        open++;
        return new Buffer(memory, bus);
    }

    private final class Buffer extends DmaBuffer {
        private final MemorySegment memory;
        private final long bus;
        private boolean closed;

        Buffer(MemorySegment memory, long bus) {
            this.memory = memory;
            this.bus = bus;
        }

        @Override
        public MemorySegment segment() {
            return memory;
        }

        @Override
        public long address() {
            return memory.address();
        }

        @Override
        public long busAddress() {
            return bus;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
                watcher.freed(bus, memory.byteSize());
            }
        }
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        if (((offset | sizeBytes) & (PAGE - 1)) != 0
                || offset < 0
                || sizeBytes <= 0
                || offset > bar.sizeBytes() - sizeBytes) {
            throw new IllegalArgumentException(
                    "no range of the BAR: 0x%x, 0x%x".formatted(offset, sizeBytes));
        }
        mapped++;
        return new PeerMapping() {
            private boolean closed;

            @Override
            public long busAddress() {
                return bar.pciAddress() + offset;
            }

            @Override
            public long sizeBytes() {
                return sizeBytes;
            }

            @Override
            public void close() {
                if (!closed) {
                    closed = true;
                    mapped--;
                }
            }
        };
    }
}
