package dev.peerlane.copy.engine;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A CMB for the engine's tests. It has one buffer at a time, from its start on. */
public final class FakeMemory extends PeerMemory {
    public final byte[] bytes;
    public final MemorySegment segment;
    private final String owner;
    public boolean rds = true;
    public boolean wds = true;
    public dev.peerlane.PeerlaneException sick;
    public boolean overtaken;
    public int open;
    public long busAddress = 0xe000_0000L;

    /** The address of the last load. */
    public long loadedAt;

    /** Runs before a load of the host. */
    public Runnable atLoad = () -> {};

    public FakeMemory(String owner, int sizeBytes) {
        this.owner = owner;
        bytes = new byte[sizeBytes];
        segment = MemorySegment.ofArray(bytes);
    }

    @Override
    public String owner() {
        return owner;
    }

    @Override
    public boolean isHost() {
        return false;
    }

    @Override
    public long sizeBytes() {
        return bytes.length;
    }

    @Override
    public long largestFreeBytes(long alignBytes) {
        return open > 0 ? 0 : bytes.length;
    }

    @Override
    public boolean ownerMayRead() {
        return rds;
    }

    @Override
    public boolean ownerMayWrite() {
        return wds;
    }

    @Override
    public boolean loadsOvertakeWrites() {
        return overtaken;
    }

    @Override
    public void checkHealth() {
        if (sick != null) {
            throw sick;
        }
    }

    @Override
    public PeerBuffer allocate(long sizeBytes, long alignBytes) {
        if (open > 0) {
            throw new AssertionError("taken twice");
        }
        open++;
        return new Piece(sizeBytes);
    }

    /** The buffer. */
    final class Piece extends PeerBuffer {
        private final long sizeBytes;
        private boolean wipe = true;
        private boolean closed;

        Piece(long sizeBytes) {
            this.sizeBytes = sizeBytes;
        }

        MemorySegment bytesOf() {
            return segment;
        }

        @Override
        public String owner() {
            return FakeMemory.this.owner();
        }

        @Override
        public boolean isHost() {
            return FakeMemory.this.isHost();
        }

        @Override
        public void checkHealth() {
            FakeMemory.this.checkHealth();
        }

        private void check() {
            if (closed) {
                throw new IllegalStateException("closed");
            }
        }

        @Override
        public long busAddress() {
            check();
            return busAddress;
        }

        @Override
        public long sizeBytes() {
            check();
            return sizeBytes;
        }

        @Override
        public long load64(long offset) {
            check();
            loadedAt = offset;
            atLoad.run();
            return segment.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
        }

        @Override
        public void store64(long offset, long value) {
            check();
            segment.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, value);
        }

        @Override
        public void fill(long offset, long length, int word) {
            check();
            for (long i = 0; i < length; i += 4) {
                segment.set(ValueLayout.JAVA_INT_UNALIGNED, offset + i, word);
            }
        }

        @Override
        public void wipeOnClose(boolean on) {
            wipe = on;
        }

        @Override
        public void close() {
            check();
            closed = true;
            open--;
            if (wipe) {
                segment.asSlice(0, sizeBytes).fill((byte) 0);
            }
        }
    }
}
