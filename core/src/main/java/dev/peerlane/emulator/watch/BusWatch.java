package dev.peerlane.emulator.watch;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * An observer of an emulated fabric, like a bus analyser in a slot. Its methods are called in the
 * middle of a turn, on the thread that owns the fabric. They may look at the fabric, but must not
 * change it.
 */
public interface BusWatch {
    /**
     * Called when DMA has reached memory: a write was stored, or a read was answered.
     *
     * @param initiator the function that does the DMA
     * @param owner the function whose BAR holds the memory, which may be the initiator; null for
     *     host memory
     * @param address the bus address
     * @param direction read or write
     * @param ioData whether the bytes are the data of an I/O command
     */
    void moved(
            Bdf initiator,
            @Nullable Bdf owner,
            long address,
            long bytes,
            Direction direction,
            boolean ioData);

    /** Called when a store of the host has arrived at a register of a controller. */
    void stored(Bdf controller, long offset, long value, int width);

    /**
     * Called when a controller has found a new value in a doorbell in memory.
     *
     * @param offset the offset of the doorbell's register
     */
    void shadowed(Bdf controller, long offset, int value);

    /**
     * Called when a controller has read a submission queue entry.
     *
     * @param address the bus address of the entry
     * @param sqe its 64 bytes
     */
    void fetched(Bdf controller, int qid, long address, MemorySegment sqe);

    /**
     * Called when a controller posts a completion queue entry.
     *
     * @param address the bus address of the entry
     * @param cqe its 16 bytes
     */
    void posted(Bdf controller, long address, MemorySegment cqe);

    /**
     * Called when a controller has lost its queues, because of a Function Level Reset or because
     * something other than the host cleared CC.EN.
     */
    void reset(Bdf controller);

    /** Called when a fault happens. */
    void happens(Fault fault);
}
