package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PortLimits;
import dev.peerlane.pci.Direction;

/**
 * A load on one way between a device and a memory: the same command, so many at a time, for so
 * long.
 *
 * @param command which
 * @param chunkBytes bytes of one command; a multiple of the block
 * @param depth how many commands at once
 * @param lba first block that they use
 * @param blocks how many blocks from there; of {@link Command#WRITE}, what is lost
 * @param nanos how long it is measured, by the fabric's clock; three runs of a quarter pass before
 * @param timeoutNanos when a command is given up
 * @param seed of the canaries
 */
public record Load(
        Command command,
        int chunkBytes,
        int depth,
        long lba,
        long blocks,
        long nanos,
        long timeoutNanos,
        long seed) {

    /** What a load does with the memory. */
    public enum Command {
        /** The medium is read into the memory: the device writes it. */
        READ("Read", Direction.WRITE),
        /** The memory is compared with the medium: the device reads it, and no medium changes. */
        COMPARE("Compare", Direction.READ),
        /** The memory is written to the medium: the device reads it. */
        WRITE("Write", Direction.READ);

        private final String words;
        private final Direction direction;

        Command(String words, Direction direction) {
            this.words = words;
            this.direction = direction;
        }

        /** Returns its name in the NVMe specification. */
        public String words() {
            return words;
        }

        /** Returns what the device does with the memory. */
        public Direction direction() {
            return direction;
        }

        /** Returns whether the device writes the memory; else it reads it. */
        public boolean intoMemory() {
            return direction == Direction.WRITE;
        }
    }

    /** Returns the bytes of memory that it takes. */
    public long bufferBytes() {
        return (long) chunkBytes * depth;
    }

    /**
     * Refuses what a port can't do.
     *
     * @throws PeerlaneException of category REQUEST, or MACHINE where it is the device
     */
    void check(String port, PortLimits limits) {
        if (depth < 1 || depth > limits.depth()) {
            throw PeerlaneException.request(
                    "bad-depth",
                    "%d commands at once are asked of %s, which takes %d"
                            .formatted(depth, port, limits.depth()),
                    "Choose 1 to " + limits.depth());
        }
        if (chunkBytes < limits.blockBytes()
                || chunkBytes % limits.blockBytes() != 0
                || chunkBytes > limits.maxTransferBytes()) {
            throw PeerlaneException.request(
                    "bad-chunk",
                    "a transfer of %d bytes is asked of %s".formatted(chunkBytes, port),
                    "Choose a multiple of %d, at most %d bytes"
                            .formatted(limits.blockBytes(), limits.maxTransferBytes()));
        }
        if (lba < 0 || blocks > limits.blockCount() - lba) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "%d blocks from block %d on are asked of %s, which has %d"
                            .formatted(blocks, lba, port, limits.blockCount()),
                    "Ask for a range inside the namespace");
        }
        // A slot of Compare and Write has blocks of its own, so that its canary is its own
        long chunks = blocks * limits.blockBytes() / chunkBytes;
        if (chunks < (command == Command.READ ? 1 : depth)) {
            throw PeerlaneException.request(
                    "range-too-short",
                    "%d blocks of %s are too few for %d transfers of %d bytes"
                            .formatted(blocks, port, depth, chunkBytes),
                    "Name a longer range, fewer commands at once or shorter ones");
        }
        if (command == Command.COMPARE && !limits.canCompare()) {
            throw PeerlaneException.machine(
                    "no-compare",
                    port + " has no Compare command",
                    "Name a scratch range: Writes into it measure the same way");
        }
        if (command == Command.WRITE && limits.readOnly() != null) {
            throw PeerlaneException.machine(
                    "namespace-read-only",
                    "%s can't be written: %s".formatted(port, limits.readOnly()),
                    "Lift the write protection, or use another namespace");
        }
    }
}
