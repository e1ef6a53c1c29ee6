package dev.peerlane.hal.parts;

import dev.peerlane.hal.Doorbell;
import dev.peerlane.mem.Mmio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A doorbell in mapped memory. {@link #ring} is a single store and checks nothing: the BAR checked
 * the owner thread when it returned the doorbell, and the queue checks it at each call. If the
 * device no longer answers, the caller's code may throw an {@link InternalError} some instructions
 * later. Code that runs a queue must expect that.
 */
public final class MappedDoorbell extends Doorbell {
    /**
     * The target of doorbells of closed devices, because something else may be mapped at the old
     * address.
     */
    private static final MemorySegment VOID = Arena.global().allocate(8, 8);

    private long address;

    /**
     * Creates a doorbell for a register.
     *
     * @param address address in this process; a multiple of 4, mapped until {@link #silence} is
     *     called
     */
    public MappedDoorbell(long address) {
        this.address = address;
    }

    @Override
    public void ring(int value) {
        Mmio.store32Release(address, value);
    }

    /** Redirects the doorbell to unused memory. Called before its register is unmapped. */
    public void silence() {
        address = VOID.address();
    }
}
