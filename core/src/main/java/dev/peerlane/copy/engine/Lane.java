package dev.peerlane.copy.engine;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.planning.Geometry;

/**
 * Memory that is cut into slots and attached to two ports: what a {@link Pipeline} runs over.
 *
 * @param reader the port that Reads into the slots
 * @param readerLba its first block
 * @param second the port that Writes or Compares the slots
 * @param secondLba its first block
 * @param buffer the memory
 * @param geometry how the memory is cut
 * @param firstSlot the number of the first slot on both ports; the sentinels follow the slots
 * @param bytes how much to move; a multiple of both block sizes
 * @param backwards whether the chunks go from the end of the range to its start
 */
record Lane(
        BlockPort reader,
        long readerLba,
        BlockPort second,
        long secondLba,
        PeerBuffer buffer,
        Geometry geometry,
        int firstSlot,
        long bytes,
        boolean backwards) {

    /** A port, and the block at which its range begins. */
    record End(BlockPort port, long lba) {}

    /** Attaches the slots of a buffer to both ports. */
    static Lane attach(End from, End to, PeerBuffer buffer, Geometry geometry, long bytes) {
        BlockPort reader = from.port();
        BlockPort second = to.port();
        int chunk = geometry.chunkBytes();
        int first = attachBoth(reader, second, buffer, 0, chunk, geometry.slots());
        if (geometry.sentinels() > 0) {
            attachBoth(
                    reader,
                    second,
                    buffer,
                    geometry.sentinelOffset(),
                    geometry.sentinelBytes(),
                    geometry.sentinels());
        }
        return new Lane(
                reader, from.lba(), second, to.lba(), buffer, geometry, first, bytes, false);
    }

    /** Attaches the slots of a buffer to the source and the target of a request. */
    static Lane attach(CopyRequest request, PeerBuffer buffer, Geometry geometry, long bytes) {
        return attach(
                new End(request.source().port(), request.sourceLba()),
                new End(request.target().port(), request.targetLba()),
                buffer,
                geometry,
                bytes);
    }

    /**
     * Attaches pieces of a buffer to both ports, and checks that both give them the same numbers.
     */
    static int attachBoth(
            BlockPort one, BlockPort other, PeerBuffer buffer, long offset, int bytes, int count) {
        int first = one.attach(buffer, offset, bytes, bytes, count);
        int again = other.attach(buffer, offset, bytes, bytes, count);
        if (first != again) {
            throw new IllegalStateException("the ports number their slots differently");
        }
        return first;
    }

    /** Returns these slots over the rest of the two ranges. */
    Lane rest(long fromReaderLba, long fromSecondLba, long restBytes) {
        return new Lane(
                reader,
                fromReaderLba,
                second,
                fromSecondLba,
                buffer,
                geometry,
                firstSlot,
                restBytes,
                backwards);
    }

    /** Returns these slots over a part of the two ranges. */
    Lane part(long fromBytes, long partBytes) {
        return rest(
                readerLba + fromBytes / reader.limits().blockBytes(),
                secondLba + fromBytes / second.limits().blockBytes(),
                partBytes);
    }

    /** Returns this lane with the roles of the two sides exchanged. */
    Lane turned() {
        return new Lane(
                /* reader= */ second,
                /* readerLba= */ secondLba,
                /* second= */ reader,
                /* secondLba= */ readerLba,
                buffer,
                geometry,
                firstSlot,
                bytes,
                backwards);
    }

    /** Returns this lane with the chunks in reverse order. */
    Lane reversed() {
        return new Lane(
                reader,
                readerLba,
                second,
                secondLba,
                buffer,
                geometry,
                firstSlot,
                bytes,
                !backwards);
    }

    /** Returns this lane cut otherwise; its slots are the first of these. */
    Lane cut(Geometry other) {
        return new Lane(
                reader, readerLba, second, secondLba, buffer, other, firstSlot, bytes, backwards);
    }

    long chunks() {
        return (bytes + geometry.chunkBytes() - 1) / geometry.chunkBytes();
    }

    /** Returns the position of a chunk in the range, in chunks. */
    long place(long chunk) {
        return backwards ? chunks() - 1 - chunk : chunk;
    }

    /** Returns the only chunk that may be shorter than the others. */
    long shortest() {
        return place(chunks() - 1);
    }

    int chunkLength(long chunk) {
        long before = place(chunk) * geometry.chunkBytes();
        return (int) Math.min(geometry.chunkBytes(), bytes - before);
    }

    long readerLbaOf(long chunk) {
        return readerLba + place(chunk) * (geometry.chunkBytes() / reader.limits().blockBytes());
    }

    long secondLbaOf(long chunk) {
        return secondLba + place(chunk) * (geometry.chunkBytes() / second.limits().blockBytes());
    }
}
