package dev.peerlane.copy.engine;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.planning.Geometry;

/**
 * Memory cut into slots and attached to two ports: what a {@link Pipeline} runs over.
 *
 * @param reader the port that Reads into the slots
 * @param readerLba its first block
 * @param second the port that Writes or Compares them
 * @param secondLba its first block
 * @param buffer the memory
 * @param geometry how it is cut
 * @param firstSlot the number of the first slot on both ports; the sentinels' follow the slots'
 * @param bytes how much to move; a multiple of both block sizes
 * @param backwards whether the first chunk is the last one of the range
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

    /** A port, and the block at which the range on it begins. */
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

    /** Attaches the slots of a buffer to the two sides of a request: source to target. */
    static Lane attach(CopyRequest request, PeerBuffer buffer, Geometry geometry, long bytes) {
        return attach(
                new End(request.source().port(), request.sourceLba()),
                new End(request.target().port(), request.targetLba()),
                buffer,
                geometry,
                bytes);
    }

    /** Attaches pieces to both ports, which must agree on their number. */
    static int attachBoth(
            BlockPort one, BlockPort other, PeerBuffer buffer, long offset, int bytes, int count) {
        int first = one.attach(buffer, offset, bytes, bytes, count);
        int again = other.attach(buffer, offset, bytes, bytes, count);
        if (first != again) {
            throw new IllegalStateException("the ports number their slots differently");
        }
        return first;
    }

    /** Returns the same slots for what is left of the two ranges. */
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

    /** Returns a part of the same two ranges over the same slots. */
    Lane part(long fromBytes, long partBytes) {
        return rest(
                readerLba + fromBytes / reader.limits().blockBytes(),
                secondLba + fromBytes / second.limits().blockBytes(),
                partBytes);
    }

    /** Returns the same slots with the parts of the two sides exchanged. */
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

    /** Returns the same with the chunks in the other order. */
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

    /** Returns the same memory, cut otherwise: its slots are the first of these. */
    Lane cut(Geometry other) {
        return new Lane(
                reader, readerLba, second, secondLba, buffer, other, firstSlot, bytes, backwards);
    }

    long chunks() {
        return (bytes + geometry.chunkBytes() - 1) / geometry.chunkBytes();
    }

    /** Returns where in the range a chunk is, in chunks. */
    long place(long chunk) {
        return backwards ? chunks() - 1 - chunk : chunk;
    }

    /** Returns the chunk that may be shorter than the others. */
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
