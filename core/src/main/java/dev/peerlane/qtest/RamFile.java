package dev.peerlane.qtest;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The mapped file that backs the guest's RAM. An offset in it is a physical address. Allocates
 * pages of it, first fit. Excludes low memory and the part in which an offset is not the address:
 * if a q35 has more RAM than fits below, it moves what is beyond 2 GiB above 4 GiB.
 */
final class RamFile implements AutoCloseable {
    /** The granularity of allocations. */
    static final int PAGE_BYTES = Bits.PAGE_BYTES;

    private static final long FIRST = 16L << 20;
    private static final long SMALLEST = 32L << 20;
    private static final long LOW_RAM_BYTES = 2L << 30;

    private final Path path;
    private final Arena arena;
    private final MemorySegment memory;
    private final long fileBytes;
    private final TreeMap<Long, Long> free = new TreeMap<>();

    private RamFile(Path path, Arena arena, MemorySegment memory, long fileBytes) {
        this.path = path;
        this.arena = arena;
        this.memory = memory;
        this.fileBytes = fileBytes;
        free.put(FIRST, memory.byteSize() - FIRST);
    }

    /**
     * Maps the file.
     *
     * @throws PeerlaneException of category MACHINE if the file can't be mapped or is too small
     */
    static RamFile open(Path path) {
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long bytes = file.size();
            if (bytes < SMALLEST) {
                throw PeerlaneException.machine(
                        "qtest-ram-too-small",
                        "the RAM file %s has %d bytes, which is too small".formatted(path, bytes),
                        "Start QEMU with 64 MiB of shared memory in that file, or more");
            }
            long usable = Math.min(bytes, LOW_RAM_BYTES) & -PAGE_BYTES;
            Arena arena = Arena.ofConfined();
            try {
                return new RamFile(
                        path, arena, file.map(MapMode.READ_WRITE, 0, usable, arena), bytes);
            } catch (IOException | RuntimeException e) {
                arena.close();
                throw e;
            }
        } catch (IOException e) {
            throw new PeerlaneException(
                    Category.MACHINE,
                    "qtest-ram-unusable",
                    "the RAM file %s can't be mapped: %s".formatted(path, e),
                    "Name the mem-path of QEMU's memory-backend-file with share=on",
                    e);
        }
    }

    /** Returns the length of the file. */
    long fileBytes() {
        return fileBytes;
    }

    /** Returns the end of the part from which pages are allocated. */
    long usableBytes() {
        return memory.byteSize();
    }

    Path path() {
        return path;
    }

    /** Returns the memory at a physical address. */
    MemorySegment slice(long physical, long bytes) {
        return memory.asSlice(physical, bytes);
    }

    /** Returns the address in this process of a physical address. */
    long hostAddress(long physical) {
        return memory.address() + physical;
    }

    /**
     * Allocates zeroed pages.
     *
     * @param bytes a multiple of the page
     * @return the physical address of the first page
     */
    long take(long bytes) {
        for (long at : List.copyOf(free.keySet())) {
            long length = free.getOrDefault(at, 0L);
            if (length >= bytes) {
                free.remove(at);
                if (length > bytes) {
                    free.put(at + bytes, length - bytes);
                }
                memory.asSlice(at, bytes).fill((byte) 0);
                return at;
            }
        }
        long largest = free.values().stream().mapToLong(Long::longValue).max().orElse(0);
        throw PeerlaneException.machine(
                "no-dma-memory",
                "the RAM file %s has no %d contiguous bytes free, at most %d"
                        .formatted(path, bytes, largest),
                "Ask for less or start QEMU with more memory");
    }

    /** Frees pages that {@link #take} returned. */
    void give(long physical, long bytes) {
        long start = physical;
        long length = bytes;
        Map.Entry<Long, Long> below = free.floorEntry(physical);
        if (below != null && below.getKey() + below.getValue() == physical) {
            start = below.getKey();
            length += below.getValue();
        }
        Long above = free.remove(physical + bytes);
        free.put(start, above == null ? length : length + above);
    }

    /** Unmaps the file. */
    @Override
    public void close() {
        arena.close();
    }
}
