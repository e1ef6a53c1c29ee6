package dev.peerlane.copy;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.pci.Bdf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Host memory that carries a copy when no peer's memory can. Owned by the thread that created it;
 * calls from other threads are rejected.
 */
public final class HostMemory extends PeerMemory {
    private static final long MAX_BYTES = 64L << 20;
    private final OwnerThread thread = new OwnerThread();
    private final DmaDomain dma;

    /** Creates a host memory whose buffers are allocated from a DMA domain. */
    public HostMemory(DmaDomain dma) {
        this.dma = dma;
    }

    @Override
    public String owner() {
        return "host";
    }

    @Override
    public boolean isHost() {
        return true;
    }

    @Override
    public long sizeBytes() {
        return MAX_BYTES;
    }

    @Override
    public long largestFreeBytes(long alignBytes) {
        return MAX_BYTES;
    }

    @Override
    public boolean ownerMayRead() {
        return true;
    }

    @Override
    public boolean ownerMayWrite() {
        return true;
    }

    @Override
    public boolean loadsOvertakeWrites() {
        return false;
    }

    @Override
    public void checkHealth() {}

    @Override
    public HostBuffer allocate(long sizeBytes, long alignBytes) {
        thread.check("host memory");
        if (alignBytes > dma.pageBytes()) {
            throw new IllegalArgumentException("alignment of " + alignBytes + " is over a page");
        }
        return new HostBuffer(this, dma.allocate(sizeBytes), sizeBytes);
    }

    /** A buffer in host memory. */
    public static final class HostBuffer extends PeerBuffer {
        private static final ValueLayout.OfLong LE_LONG =
                ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfInt LE_INT =
                ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        private final HostMemory memory;
        private final DmaBuffer buffer;
        private final long sizeBytes;
        private boolean wipe = true;
        private boolean closed;

        HostBuffer(HostMemory memory, DmaBuffer buffer, long sizeBytes) {
            this.memory = memory;
            this.buffer = buffer;
            this.sizeBytes = sizeBytes;
        }

        /** Returns the segment of this buffer. */
        public MemorySegment segment() {
            checkOpen();
            return buffer.segment().asSlice(0, sizeBytes);
        }

        @Override
        public String owner() {
            return memory.owner();
        }

        @Override
        public boolean isHost() {
            return true;
        }

        @Override
        public void checkHealth() {
            memory.checkHealth();
        }

        @Override
        public long busAddress() {
            return buffer.busAddress();
        }

        @Override
        public void admit(Bdf device) {
            checkOpen();
            buffer.admit(device);
        }

        @Override
        public long sizeBytes() {
            return sizeBytes;
        }

        @Override
        public long load64(long offset) {
            return segment().get(LE_LONG, offset);
        }

        @Override
        public void store64(long offset, long value) {
            segment().set(LE_LONG, offset, value);
        }

        @Override
        public void fill(long offset, long bytes, int word) {
            MemorySegment target = segment();
            for (long i = 0; i < bytes; i += 4) {
                target.set(LE_INT, offset + i, word);
            }
        }

        @Override
        public void wipeOnClose(boolean on) {
            checkOpen();
            wipe = on;
        }

        @Override
        public void close() {
            memory.thread.check("host memory");
            if (closed) {
                return;
            }
            if (wipe) {
                buffer.segment().fill((byte) 0);
            }
            closed = true;
            buffer.close();
        }

        private void checkOpen() {
            memory.thread.check("host memory");
            if (closed) {
                throw new IllegalStateException("this buffer of host memory is closed");
            }
        }
    }
}
