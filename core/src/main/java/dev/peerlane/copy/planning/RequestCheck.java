package dev.peerlane.copy.planning;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.CopyRequest;
import dev.peerlane.copy.Endpoint;

/** Rejects a wrong request before any device is touched. */
final class RequestCheck {
    private RequestCheck() {}

    static void check(CopyRequest r, Demand demand) {
        PortLimits source = r.source().port().limits();
        PortLimits target = r.target().port().limits();
        if (r.bytes() <= 0) {
            throw PeerlaneException.request(
                    "empty-range",
                    "%d bytes of %s are requested".formatted(r.bytes(), r.source().name()),
                    "Ask for at least one block");
        }
        checkUnit(r, r.source(), source.blockBytes());
        checkUnit(r, r.target(), target.blockBytes());
        checkRange(r.source(), r.sourceLba(), r.bytes());
        checkRange(r.target(), r.targetLba(), r.bytes());
        String readOnly = target.readOnly();
        if (readOnly != null) {
            throw PeerlaneException.machine(
                    "write-protected",
                    r.target().name() + " cannot be written: " + readOnly,
                    "Choose another target, or lift the protection with the vendor's tool");
        }
        if (r.source().bdf().equals(r.target().bdf()) && r.source().nsid() == r.target().nsid()) {
            checkOverlap(r, source.blockBytes());
        }
        checkChunk(r, demand);
    }

    private static void checkUnit(CopyRequest r, Endpoint side, int blockBytes) {
        if (r.bytes() % blockBytes != 0) {
            throw PeerlaneException.request(
                    "not-whole-blocks",
                    "%d bytes are not a whole number of the %d-byte blocks of %s"
                            .formatted(r.bytes(), blockBytes, side.name()),
                    "Ask for a length that is a multiple of both block sizes");
        }
    }

    private static void checkRange(Endpoint side, long lba, long bytes) {
        PortLimits limits = side.port().limits();
        long blocks = bytes / limits.blockBytes();
        if (lba < 0 || lba >= limits.blockCount() || blocks > limits.blockCount() - lba) {
            throw PeerlaneException.request(
                    "range-past-end",
                    "%d blocks from block %d on are requested from %s, which has %d"
                            .formatted(blocks, lba, side.name(), limits.blockCount()),
                    "Ask for a range inside the namespace");
        }
    }

    private static void checkOverlap(CopyRequest r, int blockBytes) {
        long blocks = r.bytes() / blockBytes;
        if (r.sourceLba() < r.targetLba() + blocks && r.targetLba() < r.sourceLba() + blocks) {
            throw PeerlaneException.request(
                    "ranges-overlap",
                    "blocks %d to %d and %d to %d of %s overlap"
                            .formatted(
                                    r.sourceLba(),
                                    r.sourceLba() + blocks - 1,
                                    r.targetLba(),
                                    r.targetLba() + blocks - 1,
                                    r.source().name()),
                    "Copy between ranges that share no block");
        }
    }

    private static void checkChunk(CopyRequest r, Demand demand) {
        int chunk = demand.chunkBytes();
        int limit = demand.longestBytes();
        int unit = demand.unitBytes();
        if (!demand.blocksFit()) {
            throw PeerlaneException.machine(
                    Unfit.BLOCKS.code(),
                    demand.unfitBlocks(),
                    "These two can't exchange blocks: reformat one to a smaller block size");
        }
        if (chunk != 0 && (chunk < 0 || chunk % unit != 0 || chunk > limit)) {
            throw PeerlaneException.request(
                    "bad-chunk",
                    "a chunk of %d bytes does not fit these devices".formatted(chunk),
                    "Choose a multiple of %d, at most %d".formatted(unit, limit));
        }
        if (r.options().slots() < 0 || r.options().slots() > 4096) {
            throw PeerlaneException.request(
                    "bad-slots",
                    r.options().slots() + " slots are requested",
                    "Choose 1 to 4096, or 0 for automatic");
        }
    }
}
