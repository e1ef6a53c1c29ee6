package dev.peerlane.emulator;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Allocates zeroed memory for BARs. A long piece is an unnamed file in the directory for temporary
 * files. It takes up pages only when they are touched, so a CMB may be larger than the machine's
 * memory. An arena would write every page to zero it, and counts against the limit of direct
 * memory.
 */
final class SparseMemory implements SegmentAllocator {
    /** Shorter pieces come from the arena, because zeroing them is cheaper than making a file. */
    static final long LONG_BYTES = 8L << 20;

    private final Arena arena;

    /**
     * Creates an allocator.
     *
     * @param arena frees all of the memory when it is closed
     */
    SparseMemory(Arena arena) {
        this.arena = arena;
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (byteSize < LONG_BYTES) {
            return arena.allocate(byteSize, byteAlignment);
        }
        try {
            Path file = Files.createTempFile("peerlane-cmb", null);
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE)) {
                return channel.map(FileChannel.MapMode.READ_WRITE, 0, byteSize, arena);
            }
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "no-cmb-memory",
                    "a CMB of %d bytes has no file behind it: %s".formatted(byteSize, e),
                    "Make it smaller, or name a folder with room by -Djava.io.tmpdir",
                    e);
        }
    }

    /** Returns the error for a touched page for which the file has no room. */
    static PeerlaneException noRoom(InternalError e) {
        return new PeerlaneException(
                PeerlaneException.Category.MACHINE,
                "no-cmb-memory",
                "there is no room for a page of an emulated CMB in the folder for temporary files %s"
                        .formatted(System.getProperty("java.io.tmpdir")),
                "Make room there, make the CMBs smaller than %d MiB, or name another folder by"
                                .formatted(LONG_BYTES >> 20)
                        + " -Djava.io.tmpdir",
                e);
    }
}
