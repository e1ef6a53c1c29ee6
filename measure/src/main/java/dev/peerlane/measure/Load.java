package dev.peerlane.measure;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PortLimits;
import dev.peerlane.pci.Direction;

/**
 * A load in one direction between a device and a memory: a fixed number of commands in flight,
 * repeated for a fixed time.
 *
 * @param command the command
 * @param chunkBytes bytes per command; a multiple of the block length
 * @param depth number of commands in flight
 * @param lba the first block that they use
 * @param blocks number of blocks from there on; {@link Command#WRITE} overwrites them
 * @param nanos the measured time, by the fabric's clock; three warm-up runs of a quarter of it come
 *     first
 * @param timeoutNanos when a command is given up
 * @param seed the seed of the canaries
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

    /** The command of a load, and what it does with the memory. */
    public enum Command {
        /** Reads the medium into the memory: the device writes the memory. */
        READ("Read", Direction.WRITE),
        /**
         * Compares the memory with the medium: the device reads the memory, and the medium does not
         * change.
         */
        COMPARE("Compare", Direction.READ),
        /** Writes the memory to the medium: the device reads the memory. */
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

        /** Returns whether the device reads or writes the memory. */
        public Direction direction() {
            return direction;
        }

        /** Returns whether the device writes the memory. */
        public boolean intoMemory() {
            return direction == Direction.WRITE;
        }
    }

    /** Returns the length of the memory that the load needs. */
    public long bufferBytes() {
        return (long) chunkBytes * depth;
    }

    /**
     * Checks that a port can run this load.
     *
     * @throws PeerlaneException of category REQUEST if the load is wrong, or MACHINE if the device
     *     can't run it
     */
    void check(String port, PortLimits limits) {
        if (depth < 1 || depth > limits.depth()) {
            throw PeerlaneException.request(
                    "bad-depth",
                    "%d commands in flight are requested of %s, which accepts %d"
                            .formatted(depth, port, limits.depth()),
                    "Choose 1 to " + limits.depth());
        }
        if (chunkBytes < limits.blockBytes()
                || chunkBytes % limits.blockBytes() != 0
                || chunkBytes > limits.maxTransferBytes()) {
            throw PeerlaneException.request(
                    "bad-chunk",
                    "a transfer of %d bytes is requested from %s".formatted(chunkBytes, port),
                    "Choose a multiple of %d, at most %d bytes"
                            .formatted(limits.blockBytes(), limits.maxTransferBytes()));
        }
        if (lba < 0 || blocks > limits.blockCount() - lba) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "%d blocks from block %d on are requested from %s, which has %d"
                            .formatted(blocks, lba, port, limits.blockCount()),
                    "Ask for a range inside the namespace");
        }
        // each slot of Compare and Write has its own blocks, so that its canary is its own
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
