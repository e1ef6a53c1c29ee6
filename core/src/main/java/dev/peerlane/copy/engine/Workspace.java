package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.planning.Geometry;
import dev.peerlane.hal.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory that a job allocates from devices and host, and what its pipelines left of it. Memory
 * that a device could still write to is never released.
 */
final class Workspace {
    private final CopyRequest request;
    private final List<PeerBuffer> buffers = new ArrayList<>();
    private final Clock clock;
    private final Suspects suspects = new Suspects();
    private boolean unsafe;
    private long failedLba = -1;

    Workspace(CopyRequest request, Clock clock) {
        this.request = request;
        this.clock = clock;
    }

    /** Cuts the free part of a memory. */
    Geometry cut(PeerMemory memory, boolean fenced) {
        Geometry geometry = Geometry.of(request, Geometry.freeBytes(memory), fenced);
        if (geometry == null) {
            throw PeerlaneException.machine(
                    "cmb-too-small",
                    "%d bytes are free in the memory of %s, too few for a slot"
                            .formatted(Geometry.freeBytes(memory), memory.owner()),
                    "Choose another buffer");
        }
        return geometry;
    }

    PeerBuffer take(PeerMemory memory, long bytes) {
        PeerBuffer buffer = memory.allocate(bytes, Geometry.alignOf(memory));
        buffer.wipeOnClose(request.options().wipe());
        buffers.add(buffer);
        return buffer;
    }

    HostMemory.HostBuffer takeHost(HostMemory memory, long bytes) {
        HostMemory.HostBuffer buffer = memory.allocate(bytes, Geometry.PAGE_BYTES);
        buffers.add(buffer);
        return buffer;
    }

    /** Runs a pipeline over this memory. */
    void run(Pipeline pipeline, Progress progress, Progress.Phase phase) {
        try {
            pipeline.run(progress, phase);
        } finally {
            unsafe |= pipeline.unsafe();
            failedLba = pipeline.failedLba();
            pipeline.addSuspects(suspects);
        }
    }

    /** Records that a device could not be stopped. */
    void isUnsafe() {
        unsafe = true;
    }

    /** Returns the block at which the last pipeline failed, or -1. */
    long failedLba() {
        return failedLba;
    }

    /**
     * Wipes the memory and releases it, or adds a note why not.
     *
     * @return the failure so far, or the first one of this method
     */
    @Nullable PeerlaneException release(@Nullable PeerlaneException failure, List<String> notes) {
        boolean peers = buffers.stream().anyMatch(b -> !b.isHost());
        PeerlaneException stuck = suspects.stop(clock, peers);
        unsafe |= stuck != null;
        PeerlaneException first = stuck == null ? failure : first(failure, stuck);
        if (unsafe) {
            notes.add(
                    "A device could not be stopped and may still write to the memory that carried"
                            + " the data: it stays taken until that device is reset");
            return first;
        }
        for (PeerBuffer buffer : buffers) {
            try {
                buffer.close();
            } catch (PeerlaneException | InternalError e) {
                first = first(first, e);
            }
        }
        return first;
    }

    private static PeerlaneException first(@Nullable PeerlaneException known, Throwable e) {
        if (known == null) {
            return Faults.of(e);
        }
        Faults.add(known, e);
        return known;
    }
}
