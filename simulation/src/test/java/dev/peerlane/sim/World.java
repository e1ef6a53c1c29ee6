package dev.peerlane.sim;

import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.model.FabricModel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a seed stands for: a fabric, drives, and successive copies.
 *
 * @param fabric the fabric
 * @param topology the position of the drives in the tree, in words
 * @param honest whether the fabric behaves as it is described; then a copy that is not refused
 *     succeeds
 * @param copies the copies
 */
record World(FabricModel fabric, String topology, boolean honest, List<Copy> copies) {
    /** Bytes of the first namespace of each drive. */
    static final int MEDIUM_BYTES = 256 << 10;

    /** Bytes of the second namespace, if there is one. */
    static final int SECOND_BYTES = 192 << 10;

    /** The drives, by their index. */
    static final List<String> LOCATORS = List.of("emu:a", "emu:b", "emu:c");

    /**
     * A place on a drive.
     *
     * @param drive index of the drive
     * @param nsid the namespace
     * @param offset the offset in bytes
     */
    record Place(int drive, int nsid, int offset) {
        /** Returns whether a range from here overlaps a range from another place. */
        boolean meets(int bytes, Place other, int otherBytes) {
            return drive == other.drive
                    && nsid == other.nsid
                    && offset < other.offset + otherBytes
                    && other.offset < offset + bytes;
        }

        @Override
        public String toString() {
            return "%s/n%d at %d".formatted(LOCATORS.get(drive), nsid, offset);
        }
    }

    /** The task for two ranges. */
    enum Task {
        /** Copies the source to the target. */
        COPY,
        /** Overwrites both ranges, and counts stale hand-offs between them. */
        LITMUS
    }

    /**
     * One copy.
     *
     * @param task the task
     * @param source the beginning of the source range
     * @param target the beginning of the target range
     * @param bytes length of both ranges
     * @param options the options of the copy
     * @param faults the faults that happen during it
     * @param cancelAfter the number of posted commands after which it is cancelled; 0 for never
     * @param beside another copy, which begins in the middle of this one
     */
    record Copy(
            Task task,
            Place source,
            Place target,
            int bytes,
            CopyOptions options,
            List<PlannedFault> faults,
            int cancelAfter,
            @Nullable Copy beside) {
        /** Creates a plain copy between first namespaces. */
        Copy(
                int source,
                int target,
                int sourceOffset,
                int targetOffset,
                int bytes,
                CopyOptions options,
                List<PlannedFault> faults) {
            this(
                    Task.COPY,
                    new Place(source, 1, sourceOffset),
                    new Place(target, 1, targetOffset),
                    bytes,
                    options,
                    faults,
                    0,
                    null);
        }

        /** Returns this copy without faults, and without another copy beside it. */
        Copy calm() {
            return new Copy(
                    task,
                    source,
                    target,
                    bytes,
                    options.withCommandTimeoutNanos(CopyOptions.DEFAULTS.commandTimeoutNanos()),
                    List.of(),
                    0,
                    null);
        }

        /** Returns this copy without fence, verification and faults, through the target's CMB. */
        Copy withoutFence() {
            CopyOptions bare =
                    options.withBuffer(BufferChoice.TARGET)
                            .withFence(FenceChoice.NONE)
                            .withVerify(VerifyMode.NONE);
            return new Copy(Task.COPY, source, target, bytes, bare, List.of(), 0, null);
        }

        /**
         * Returns whether another copy reads or writes what this one writes, or writes what this
         * one reads.
         */
        boolean disturbs(Copy other) {
            return target.meets(bytes, other.target, other.bytes)
                    || target.meets(bytes, other.source, other.bytes)
                    || source.meets(bytes, other.target, other.bytes);
        }
    }

    /**
     * Makes the world of a seed. The first seeds have one fault each and cover the cells of {@link
     * Coverage}; those after them cover the features; all others are random.
     */
    static World of(long seed) {
        return new WorldMaker(seed, false).world();
    }

    /** Returns how many seeds cover cells and features. */
    static int walk() {
        return Coverage.possible().size() + FeatureCoverage.possible().size();
    }

    /**
     * Makes the control world, which shows what the checkers see: over packets, every drive has a
     * CMB, every route is permitted, nothing goes wrong, and no copy has a fence.
     */
    static World unfenced(long seed) {
        World world = new WorldMaker(seed, true).world();
        List<Copy> copies = world.copies().stream().map(Copy::withoutFence).toList();
        return new World(world.fabric(), world.topology(), world.honest(), copies);
    }
}
