package dev.peerlane.vfiouser;

import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.MemoryFile;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * A file in memory with a place on the bus, mapped here and into the servers that were given it.
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
     * Makes one, of zeroes, that no server has.
     *
     * @param bytes whole pages
     * @param onClose is told when it is being closed
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

    /** Hands it to a function's server, unless that has it. */
    void admit(UserFunction function) {
        reach.give(function);
    }

    /** Makes a part of it read as zeroes for everybody. */
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

    /** Takes it back from the servers, clears it and frees it. A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        try (Mapping here = mapping) {
            onClose.accept(this);
            // a server that keeps its descriptor is not to find there what others left
            clear(0, here.segment().byteSize());
            reach.takeBack();
            // only here: an address that a server may still have is not used again
            addresses.give(busAddress);
        } finally {
            closed = true;
            KernelCalls.instance().close(fd);
        }
    }
}
