package dev.peerlane.sim;

import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.model.FabricModel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a seed says: fabric, drives, and copies one after another.
 *
 * @param fabric the fabric
 * @param topology how the drives hang together, in words
 * @param honest whether the fabric does what is known of it: then a copy that is not refused works
 * @param copies what is copied
 */
record World(FabricModel fabric, String topology, boolean honest, List<Copy> copies) {
    /** Length of the first namespace of each drive. */
    static final int MEDIUM_BYTES = 256 << 10;

    /** Length of the second namespace, where there is one. */
    static final int SECOND_BYTES = 192 << 10;

    /** The drives, by their index. */
    static final List<String> LOCATORS = List.of("emu:a", "emu:b", "emu:c");

    /**
     * A place on a drive.
     *
     * @param drive index of the drive
     * @param nsid of its namespace
     * @param offset in bytes
     */
    record Place(int drive, int nsid, int offset) {
        /** Whether so many bytes from here and from another place have one in common. */
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

    /** What is done with two ranges. */
    enum Task {
        /** The target becomes what the source is. */
        COPY,
        /** Both are overwritten, and stale hand-offs between them counted. */
        LITMUS
    }

    /**
     * One copy.
     *
     * @param task what it is really
     * @param source where it begins
     * @param target where it goes
     * @param bytes how much
     * @param options how
     * @param faults what goes wrong with it
     * @param cancelAfter it is cancelled when so many commands were posted; 0 for never
     * @param beside another copy that begins in the middle of it, when some commands were posted
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
        /** A plain copy between first namespaces. */
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

        /** Returns the same with nothing that goes wrong, nor anything beside it. */
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

        /** Returns it without fence, verification and faults, through the target's CMB. */
        Copy withoutFence() {
            CopyOptions bare =
                    options.withBuffer(BufferChoice.TARGET)
                            .withFence(FenceChoice.NONE)
                            .withVerify(VerifyMode.NONE);
            return new Copy(Task.COPY, source, target, bytes, bare, List.of(), 0, null);
        }

        /** Whether another one would read or write what this one writes, or write what it reads. */
        boolean disturbs(Copy other) {
            return target.meets(bytes, other.target, other.bytes)
                    || target.meets(bytes, other.source, other.bytes)
                    || source.meets(bytes, other.target, other.bytes);
        }
    }

    /**
     * Makes the world of a seed. The first seeds have one fault each, and walk through the cells
     * that the coverage wants; those after them walk through the features; all others are drawn.
     */
    static World of(long seed) {
        return new WorldMaker(seed, false).world();
    }

    /** Returns how many seeds walk through what has to be met. */
    static int walk() {
        return Coverage.possible().size() + FeatureCoverage.possible().size();
    }

    /**
     * Makes a world over packets in which every drive has a CMB, every way is allowed, nothing goes
     * wrong, and no copy has a fence: the control that shows what the checkers see.
     */
    static World unfenced(long seed) {
        World world = new WorldMaker(seed, true).world();
        List<Copy> copies = world.copies().stream().map(Copy::withoutFence).toList();
        return new World(world.fabric(), world.topology(), world.honest(), copies);
    }
}
