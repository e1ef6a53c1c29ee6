package dev.peerlane.hal.parts;

import dev.peerlane.hal.Doorbell;
import dev.peerlane.mem.Mmio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A doorbell in mapped memory: one store and nothing else; that the thread is the owner's, the BAR
 * has seen to that gave it out, and its queue does each time. If nobody answers there any more, an
 * {@link InternalError} may come out of the caller's code some instructions later: whoever runs a
 * queue for long has to expect it.
 */
public final class MappedDoorbell extends Doorbell {
    /** Where doorbells of closed devices write, instead of into what may be mapped there next. */
    private static final MemorySegment VOID = Arena.global().allocate(8, 8);

    private long address;

    /**
     * Makes a doorbell of a register.
     *
     * @param address in this process, a multiple of 4, mapped until {@link #silence} is called
     */
    public MappedDoorbell(long address) {
        this.address = address;
    }

    @Override
    public void ring(int value) {
        Mmio.store32Release(address, value);
    }

    /** Makes it write nowhere, before its register is unmapped. */
    public void silence() {
        address = VOID.address();
    }
}
