package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.engine.HandOffTrial;
import dev.peerlane.hal.Clock;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The pattern of a litmus test on both media: random words, with no two chunks alike. It is written
 * from host memory and read back, chunk by chunk.
 */
final class LitmusPattern {
    private final Clock clock;
    private final long timeoutNanos;
    private final long seed;
    private final HandOffTrial trial;
    private final HostMemory.HostBuffer host;
    private @Nullable Integer ended;

    private final Completions onEnd =
            new Completions() {
                @Override
                public void completed(int slot, int status) {
                    ended = status;
                }
            };

    LitmusPattern(Clock clock, long timeoutNanos, long seed, HandOffTrial trial) {
        this.clock = clock;
        this.timeoutNanos = timeoutNanos;
        this.seed = seed;
        this.trial = trial;
        host = trial.hostChunk();
    }

    /**
     * Writes the pattern to one side and reads it back.
     *
     * @param lba the first block of that side's range
     * @throws PeerlaneException if a command fails, or the medium does not keep the pattern
     */
    void write(BlockPort port, long lba) {
        int chunkBytes = trial.chunkBytes();
        MemorySegment memory = host.segment().asSlice(0, chunkBytes);
        int slot = port.attach(host, 0, chunkBytes, chunkBytes, 1);
        int blocks = chunkBytes / port.limits().blockBytes();
        for (long chunk = 0; chunk < 2 * trial.chunksOfHalf(); chunk++) {
            long at = lba + chunk * blocks;
            fill(memory, chunk);
            end(port, "Write", port.submitWrite(slot, at, blocks), at);
            memory.fill((byte) 0);
            end(port, "Read", port.submitRead(slot, at, blocks), at);
            if (!holds(memory, chunk)) {
                throw PeerlaneException.machine(
                        "scratch-not-kept",
                        "block %d of %s does not hold what was written to it"
                                .formatted(at, port.name()),
                        "A medium that keeps nothing can't tell old bytes from new ones");
            }
        }
    }

    private void fill(MemorySegment memory, long chunk) {
        SplittableRandom random = new SplittableRandom(seed + chunk);
        for (long at = 0; at < memory.byteSize(); at += 8) {
            memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
    }

    private boolean holds(MemorySegment memory, long chunk) {
        SplittableRandom random = new SplittableRandom(seed + chunk);
        for (long at = 0; at < memory.byteSize(); at += 8) {
            if (memory.get(ValueLayout.JAVA_LONG, at) != random.nextLong()) {
                return false;
            }
        }
        return true;
    }

    private void end(BlockPort port, String command, boolean submitted, long lba) {
        if (!submitted) {
            throw new IllegalStateException("the queue is full though nothing is in flight");
        }
        ended = null;
        clock.await(
                () -> {
                    port.ring();
                    port.poll(1, onEnd);
                    return ended != null;
                },
                timeoutNanos);
        Integer status = ended;
        if (status == null || status != 0) {
            PeerlaneException seen =
                    PeerlaneException.io(
                            "scratch-failed",
                            "%s of block %d of %s %s"
                                    .formatted(
                                            command,
                                            lba,
                                            port.name(),
                                            status == null
                                                    ? "did not end in time"
                                                    : "ended with " + port.describe(status)),
                            "Check the device's health, or name another scratch range");
            throw trial.blamed(seen);
        }
    }
}
