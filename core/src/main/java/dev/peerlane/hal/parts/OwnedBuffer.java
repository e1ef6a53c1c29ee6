package dev.peerlane.hal.parts;

import dev.peerlane.hal.DmaBuffer;
import java.lang.foreign.MemorySegment;

/** A buffer that is freed once, by its owner thread. Subclasses decide how. */
public abstract class OwnedBuffer extends DmaBuffer {
    private final Runnable ownerCheck;
    private final MemorySegment segment;
    private final long busAddress;
    private boolean closed;

    /**
     * Creates a buffer.
     *
     * @param ownerCheck throws if the calling thread is not the owner
     * @param segment the memory
     * @param busAddress the bus address of the first byte
     */
    protected OwnedBuffer(Runnable ownerCheck, MemorySegment segment, long busAddress) {
        this.ownerCheck = ownerCheck;
        this.segment = segment;
        this.busAddress = busAddress;
    }

    @Override
    public final MemorySegment segment() {
        return segment;
    }

    @Override
    public final long address() {
        return segment.address();
    }

    @Override
    public final long busAddress() {
        return busAddress;
    }

    @Override
    public final void close() {
        ownerCheck.run();
        if (!closed) {
            closed = true;
            giveBack();
        }
    }

    /** Unmaps and frees the memory. Called once. */
    protected abstract void giveBack();
}
