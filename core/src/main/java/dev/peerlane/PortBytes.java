package dev.peerlane;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.guard.DeviceBytes;
import dev.peerlane.hal.Clock;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a namespace, Read one command at a time into host memory by a port that serves
 * nothing else. Closing it closes the port.
 */
final class PortBytes implements DeviceBytes, AutoCloseable {
    private static final int MAX_BYTES = 64 << 10;
    private static final int SLOT = 0;
    private static final int SECTOR = 512;
    private static final ValueLayout.OfInt WORD =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final BlockPort port;
    private final Clock clock;
    private final CopyOptions how;
    private final int blockBytes;
    private final int chunkBytes;
    private final HostMemory.HostBuffer buffer;
    private final int poison = new SplittableRandom().nextInt();
    private int status;
    private boolean completed;
    private final Completions completions =
            new Completions() {
                @Override
                public void completed(int slot, int ended) {
                    status = ended;
                    completed = true;
                }
            };

    /**
     * Takes a port over. Where that fails the port is closed.
     *
     * @param how how long a command may take, and how often it is tried again
     */
    PortBytes(BlockPort port, HostMemory memory, Clock clock, CopyOptions how) {
        this.port = port;
        this.clock = clock;
        this.how = how;
        PortLimits limits = port.limits();
        this.blockBytes = limits.blockBytes();
        this.chunkBytes =
                Math.max(
                        blockBytes,
                        Math.min(limits.maxTransferBytes(), MAX_BYTES) / blockBytes * blockBytes);
        HostMemory.@Nullable HostBuffer made = null;
        try {
            made = memory.allocate(chunkBytes, Math.min(blockBytes, 4096));
            port.attach(made, 0, chunkBytes, chunkBytes, 1);
        } catch (RuntimeException | Error e) {
            giveBack(made, e);
            throw e;
        }
        this.buffer = made;
    }

    private void giveBack(HostMemory.@Nullable HostBuffer made, Throwable why) {
        try {
            port.close();
            if (made != null) {
                made.close();
            }
        } catch (RuntimeException | Error e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public long sizeBytes() {
        return Math.multiplyExact(port.limits().blockCount(), (long) blockBytes);
    }

    @Override
    public void read(long offset, byte[] into) {
        for (int done = 0; done < into.length; ) {
            long at = offset + done;
            long first = at / blockBytes;
            int skip = (int) (at % blockBytes);
            int n = Math.min(chunkBytes - skip, into.length - done);
            read(first, (skip + n + blockBytes - 1) / blockBytes);
            MemorySegment.copy(buffer.segment(), ValueLayout.JAVA_BYTE, skip, into, done, n);
            done += n;
        }
    }

    private void read(long lba, int blocks) {
        int tries = 0;
        do {
            buffer.fill(0, chunkBytes, poison);
            submit(lba, blocks);
        } while (status != 0 && port.mayRetry(status) && tries++ < how.retries());
        if (status != 0) {
            throw failed(lba, blocks, port.describe(status));
        }
        for (int at = 0; at < blocks * blockBytes; at += SECTOR) {
            if (isPoison(at)) {
                throw failed(lba, blocks, "success, but its data did not arrive");
            }
        }
    }

    /** A write to host memory that an IOMMU refuses gets lost without an error. */
    private boolean isPoison(int offset) {
        MemorySegment memory = buffer.segment();
        for (int at = offset; at < offset + SECTOR; at += Integer.BYTES) {
            if (memory.get(WORD, at) != poison) {
                return false;
            }
        }
        return true;
    }

    private void submit(long lba, int blocks) {
        completed = false;
        port.submitRead(SLOT, lba, blocks);
        port.ring();
        boolean ended =
                clock.await(
                        () -> completed || port.poll(1, completions) > 0,
                        how.commandTimeoutNanos());
        if (!ended) {
            port.checkHealth();
            throw failed(lba, blocks, "no completion within the time");
        }
    }

    private PeerlaneException failed(long lba, int blocks, String why) {
        return PeerlaneException.io(
                        "target-not-read",
                        "what %s carries is not known: a Read of %d blocks from block %d on ended with %s"
                                .formatted(port.name(), blocks, lba, why),
                        "Look at the drive, or allow to write over whatever it carries")
                .with("target", port.name());
    }

    /** Closes the port; where that fails the memory may still be written, and stays. */
    @Override
    public void close() {
        port.close();
        buffer.close();
    }
}
