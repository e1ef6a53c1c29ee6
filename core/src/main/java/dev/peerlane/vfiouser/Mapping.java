package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelCalls;
import dev.peerlane.linux.KernelException;
import dev.peerlane.linux.Memory;
import dev.peerlane.linux.MemoryFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A mapped part of a file that is shared with another process. It belongs to one thread. */
public final class Mapping implements AutoCloseable {
    private final String object;
    private final long address;
    private final long bytes;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;
    private boolean closed;

    private Mapping(String object, long address, long bytes) {
        this.object = object;
        this.address = address;
        this.bytes = bytes;
        this.segment = Memory.at(address, bytes, arena);
    }

    /**
     * Maps a part of a file for reading and writing.
     *
     * @param fd the file's descriptor, which the caller keeps and may close
     * @param offset start in the file, a multiple of the page size
     * @param bytes length, a multiple of the page size
     * @param object what is mapped, for messages
     * @throws PeerlaneException if the descriptor is not that of a file, the file is too short, or
     *     it can't be mapped
     */
    public static Mapping of(int fd, long offset, long bytes, String object) {
        long length =
                KernelException.check(
                        MemoryFile.sizeBytes(fd),
                        "not-mapped",
                        "fstat",
                        object,
                        "Pass the descriptor of a file in memory");
        if (offset < 0 || bytes <= 0 || offset > length - bytes) {
            throw PeerlaneException.machine(
                    "not-mapped",
                    "%s: bytes %d to %d of a file of %d bytes are to be mapped"
                            .formatted(object, offset, offset + bytes - 1, length),
                    "Pass a descriptor of a file that is long enough");
        }
        long address =
                KernelException.check(
                        KernelCalls.instance()
                                .mmap(
                                        bytes,
                                        Kernel.PROT_READ | Kernel.PROT_WRITE,
                                        Kernel.MAP_SHARED,
                                        fd,
                                        offset),
                        "not-mapped",
                        "mmap",
                        object,
                        "Pass a descriptor that can be read and written");
        return new Mapping(object, address, bytes);
    }

    /** Returns the mapping's address in this process. */
    public long address() {
        return address;
    }

    /** Returns the mapped memory. An access after close throws. */
    public MemorySegment segment() {
        return segment;
    }

    /** Unmaps the memory. Closing again has no effect. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        arena.close();
        KernelException.check(
                KernelCalls.instance().munmap(address, bytes),
                "not-unmapped",
                "munmap",
                object,
                "End the process");
    }
}
