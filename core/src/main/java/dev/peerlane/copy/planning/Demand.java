package dev.peerlane.copy.planning;

import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.Machine;
import org.jspecify.annotations.Nullable;

/**
 * What a copy asks of the memory that carries it.
 *
 * @param source who Reads its medium
 * @param target who Writes its medium
 * @param fence the fence that is asked for
 * @param chunkBytes bytes of one slot, or 0 for as many as fit
 * @param slots how many slots, or 0 for as many as fit
 */
public record Demand(Party source, Party target, FenceChoice fence, int chunkBytes, int slots) {
    /** Returns what a request asks. */
    static Demand of(CopyRequest request, Machine machine) {
        CopyOptions how = request.options();
        return new Demand(
                Party.of(request.source(), machine),
                Party.of(request.target(), machine),
                how.fence(),
                how.chunkBytes(),
                how.slots());
    }

    /** Returns the copy the other way. */
    Demand reversed() {
        return new Demand(target, source, fence, chunkBytes, slots);
    }

    /** Returns the same with blocks of a length on each side that does not tell its own. */
    Demand withBlocks(int bytes) {
        return new Demand(
                source.blockBytes() == 0 ? source.withBlocks(bytes) : source,
                target.blockBytes() == 0 ? target.withBlocks(bytes) : target,
                fence,
                chunkBytes,
                slots);
    }

    /** Returns whether both sides tell the length of their blocks. */
    boolean knowsBlocks() {
        return source.blockBytes() > 0 && target.blockBytes() > 0;
    }

    /** Returns whether one device is both sides. */
    boolean isOneDevice() {
        return source.bdf().equals(target.bdf());
    }

    /** Returns the larger block size: both are powers of two, so it is a multiple of the other. */
    int unitBytes() {
        return Math.max(source.blockBytes(), target.blockBytes());
    }

    /** Returns the longest transfer that both sides take; no limit if neither tells one. */
    int longestBytes() {
        return Math.min(orAny(source.maxTransferBytes()), orAny(target.maxTransferBytes()));
    }

    private static int orAny(int limitBytes) {
        return limitBytes > 0 ? limitBytes : Integer.MAX_VALUE;
    }

    /** Returns whether a block of each side fits one command of the other. */
    boolean blocksFit() {
        return unitBytes() <= longestBytes();
    }

    /** Returns why not. */
    String unfitBlocks() {
        return "a block of %d bytes is longer than the longest transfer of %s or %s"
                .formatted(unitBytes(), source.name(), target.name());
    }

    /** Cuts memory; null if it is too small. */
    @Nullable Geometry geometry(long freeBytes, boolean sentinels) {
        return Geometry.fit(freeBytes, unitBytes(), longestBytes(), sentinels, chunkBytes, slots);
    }

    /** Returns the smallest memory that {@link #geometry} can cut. */
    long leastBytes(boolean sentinels) {
        return Math.max(unitBytes(), chunkBytes) + (sentinels ? unitBytes() : 0L);
    }
}
