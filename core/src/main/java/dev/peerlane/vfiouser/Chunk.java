package dev.peerlane.vfiouser;

import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.MemoryFile;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * A file in memory at a bus address, mapped into this process and into the servers that were
 * admitted to it.
 */
final class Chunk implements AutoCloseable {
    private final BusAddresses addresses;
    private final Consumer<Chunk> onClose;
    private final int fd;
    private final Mapping mapping;
    private final long busAddress;
    private final Reach reach;
    private boolean closed;

    /**
     * Creates a zeroed chunk, to which no server is admitted yet.
     *
     * @param bytes whole pages
     * @param onClose called when the chunk is closed, before its memory is freed
     */
    Chunk(BusAddresses addresses, long bytes, Consumer<Chunk> onClose) {
        this.addresses = addresses;
        this.onClose = onClose;
        String object = bytes + " bytes of memory for DMA";
        busAddress = addresses.take(bytes);
        int file = -1;
        boolean done = false;
        try {
            file =
                    (int)
                            KernelException.check(
                                    MemoryFile.create("peerlane-dma", bytes),
                                    "no-dma-memory",
                                    "memfd_create",
                                    object,
                                    "Use smaller buffers, and see how many files are open");
            mapping = Mapping.of(file, 0, bytes, object);
            done = true;
        } finally {
            if (!done) {
                addresses.give(busAddress);
                if (file >= 0) {
                    KernelCalls.instance().close(file);
                }
            }
        }
        fd = file;
        reach = new Reach(fd, 0, busAddress, bytes);
    }

    MemorySegment segment() {
        return mapping.segment();
    }

    long busAddress() {
        return busAddress;
    }

    /** Passes the chunk to a function's server, unless that has it already. */
    void admit(UserFunction function) {
        reach.give(function);
    }

    /** Zeroes a range, for this process and for the servers. */
    void clear(long offset, long bytes) {
        if (closed) {
            return;
        }
        KernelException.check(
                MemoryFile.clear(fd, offset, bytes),
                "dma-memory-not-cleared",
                "fallocate",
                "memory for DMA",
                "End the process: its servers can still read what was in that memory");
    }

    /** Clears the chunk, unmaps it from the servers and frees it. Closing again has no effect. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        try (Mapping here = mapping) {
            onClose.accept(this);
            // a server that keeps its descriptor must not read what others left in the memory
            clear(0, here.segment().byteSize());
            reach.takeBack();
            // only after the unmapping: an address that a server may still use must not be reused
            addresses.give(busAddress);
        } finally {
            closed = true;
            KernelCalls.instance().close(fd);
        }
    }
}
