package dev.peerlane.copy.planning;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.Machine;
import org.jspecify.annotations.Nullable;

/**
 * What a copy requires of the memory that carries it.
 *
 * @param source the side whose medium is Read
 * @param target the side whose medium is Written
 * @param fence the fence that the user chose
 * @param chunkBytes bytes of one slot, or 0 for as many as fit
 * @param slots number of slots, or 0 for as many as fit
 */
public record Demand(Party source, Party target, FenceChoice fence, int chunkBytes, int slots) {
    /** Returns what a request requires. */
    static Demand of(CopyRequest request, Machine machine) {
        CopyOptions how = request.options();
        return new Demand(
                Party.of(request.source(), machine),
                Party.of(request.target(), machine),
                how.fence(),
                how.chunkBytes(),
                how.slots());
    }

    /** Returns the demand of a copy in the other direction. */
    Demand reversed() {
        return new Demand(target, source, fence, chunkBytes, slots);
    }

    /** Returns this demand with a block length for each side whose length is unknown. */
    Demand withBlocks(int bytes) {
        return new Demand(
                source.blockBytes() == 0 ? source.withBlocks(bytes) : source,
                target.blockBytes() == 0 ? target.withBlocks(bytes) : target,
                fence,
                chunkBytes,
                slots);
    }

    /** Returns whether the block length of both sides is known. */
    boolean knowsBlocks() {
        return source.blockBytes() > 0 && target.blockBytes() > 0;
    }

    /** Returns whether source and target are the same device. */
    boolean isOneDevice() {
        return source.bdf().equals(target.bdf());
    }

    /** Returns the larger block size. Both are powers of two, so it is a multiple of the other. */
    int unitBytes() {
        return Math.max(source.blockBytes(), target.blockBytes());
    }

    /** Returns the longest transfer that both sides accept; no limit if neither side's is known. */
    int longestBytes() {
        return Math.min(orAny(source.maxTransferBytes()), orAny(target.maxTransferBytes()));
    }

    private static int orAny(int limitBytes) {
        return limitBytes > 0 ? limitBytes : Integer.MAX_VALUE;
    }

    /** Returns whether one command of each side can move a block of the other side. */
    boolean blocksFit() {
        return unitBytes() <= longestBytes();
    }

    /** Returns the sentence that says why the blocks do not fit. */
    String unfitBlocks() {
        return "a block of %d bytes is longer than the longest transfer of %s or %s"
                .formatted(unitBytes(), source.name(), target.name());
    }

    /** Cuts memory into slots and sentinels; returns null if the memory is too small. */
    @Nullable Geometry geometry(long freeBytes, boolean sentinels) {
        return Geometry.fit(freeBytes, unitBytes(), longestBytes(), sentinels, chunkBytes, slots);
    }

    /** Returns the length of the smallest memory that {@link #geometry} can cut. */
    long leastBytes(boolean sentinels) {
        return Math.max(unitBytes(), chunkBytes) + (sentinels ? unitBytes() : 0L);
    }
}
