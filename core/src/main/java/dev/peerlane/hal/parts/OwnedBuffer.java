package dev.peerlane.hal.parts;

import dev.peerlane.hal.DmaBuffer;
import java.lang.foreign.MemorySegment;

/** A buffer that its owner thread gives back once, whatever it is made of. */
public abstract class OwnedBuffer extends DmaBuffer {
    private final Runnable ownerCheck;
    private final MemorySegment segment;
    private final long busAddress;
    private boolean closed;

    /**
     * Creates one.
     *
     * @param ownerCheck throws where the calling thread is not the owner
     * @param segment the memory
     * @param busAddress where devices find it
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

    /** Unmaps the memory and gives it back; called once. */
    protected abstract void giveBack();
}
