package dev.peerlane.vfio;

import dev.peerlane.hal.Doorbell;
import dev.peerlane.mem.Mmio;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A doorbell in mapped memory: one store and nothing else. If nobody answers there any more, an
 * {@link InternalError} may come out of the caller's code some instructions later: whoever runs a
 * queue for long has to expect it.
 */
final class MappedDoorbell extends Doorbell {
    /** Where doorbells of closed devices write, instead of into what may be mapped there next. */
    private static final MemorySegment VOID = Arena.global().allocate(8, 8);

    private long address;

    MappedDoorbell(long address) {
        this.address = address;
    }

    @Override
    public void ring(int value) {
        Mmio.store32Release(address, value);
    }

    void silence() {
        address = VOID.address();
    }
}
