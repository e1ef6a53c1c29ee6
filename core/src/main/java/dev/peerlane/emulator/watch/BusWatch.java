package dev.peerlane.emulator.watch;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Sees what happens on an emulated fabric, as an analyser between the slots would. Called in the
 * middle of a turn, on the thread that owns the fabric: it may look, and touch nothing.
 */
public interface BusWatch {
    /**
     * DMA has reached memory: a write was stored, a read was answered.
     *
     * @param initiator whose DMA
     * @param owner whose BAR the memory is in, the initiator's own included; null for host memory
     * @param address on the bus
     * @param direction whether it was a read or a write
     * @param ioData whether the bytes are data of an I/O command
     */
    void moved(
            Bdf initiator,
            @Nullable Bdf owner,
            long address,
            long bytes,
            Direction direction,
            boolean ioData);

    /** A store of the host has arrived at a register of a controller. */
    void stored(Bdf controller, long offset, long value, int width);

    /**
     * A controller has found another value in a doorbell that is in memory.
     *
     * @param offset of the doorbell's register
     */
    void shadowed(Bdf controller, long offset, int value);

    /**
     * A controller has read a submission queue entry.
     *
     * @param address where from
     * @param sqe its 64 bytes
     */
    void fetched(Bdf controller, int qid, long address, MemorySegment sqe);

    /**
     * A controller posts a completion queue entry.
     *
     * @param address where to
     * @param cqe its 16 bytes
     */
    void posted(Bdf controller, long address, MemorySegment cqe);

    /** A controller has lost its queues: to a Function Level Reset, or to somebody else's reset. */
    void reset(Bdf controller);

    /** A fault happens. */
    void happens(Fault fault);
}
