package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferKind;

/** Makes the errors of the chunks of a {@link Pipeline}. */
final class ChunkErrors {
    private final Lane lane;
    private final SecondStage stage;

    ChunkErrors(Lane lane, SecondStage stage) {
        this.lane = lane;
        this.stage = stage;
    }

    /** Returns the name of the command by which a side moves a chunk. */
    String command(boolean reader) {
        if (reader) {
            return "Read";
        }
        return switch (stage) {
            case WRITE -> "Write";
            case COMPARE -> "Compare";
            case MATCH -> "Read";
        };
    }

    /** Returns the error for a command that ended with a final error status. */
    PeerlaneException ended(boolean reader, long chunk, int status, int failures) {
        BlockPort port = reader ? lane.reader() : lane.second();
        long lba = reader ? lane.readerLbaOf(chunk) : lane.secondLbaOf(chunk);
        int blocks = lane.chunkLength(chunk) / port.limits().blockBytes();
        String code = stage == SecondStage.WRITE ? "write-failed" : "verify-failed";
        return PeerlaneException.io(
                reader ? "read-failed" : code,
                "%s of blocks %d to %d of %s ended with %s"
                        .formatted(
                                command(reader),
                                lba,
                                lba + blocks - 1,
                                port.name(),
                                port.describe(status)),
                failures > 0
                        ? "It was tried " + (failures + 1) + " times: check the device"
                        : "Check the device's health; the receipt names what was copied");
    }

    /** Returns the error for a chunk whose data differs between the two sides. */
    PeerlaneException mismatch(long chunk) {
        long lba = lane.secondLbaOf(chunk);
        int blocks = lane.chunkLength(chunk) / lane.second().limits().blockBytes();
        boolean host = lane.buffer().isHost();
        PeerlaneException mismatch =
                PeerlaneException.io(
                        "verify-mismatch",
                        "the data of blocks %d to %d of %s differ from those of %s"
                                .formatted(
                                        lba,
                                        lba + blocks - 1,
                                        lane.second().name(),
                                        lane.reader().name()),
                        host
                                ? "The copy is wrong: find out what else writes to either, then check"
                                        + " the health of both devices"
                                : "The copy is wrong: if nothing else writes to either, this"
                                        + " platform delivers wrong data between these devices; copy"
                                        + " through host memory");
        return host ? mismatch : mismatch.with("buffer", BufferKind.HOST.label());
    }

    /**
     * Returns the error for a slot that had been found equal, and was found equal again after one
     * of its bits was flipped.
     */
    PeerlaneException lies(long chunk, long at) {
        long lba = lane.secondLbaOf(chunk);
        BlockPort second = lane.second();
        int blocks = lane.chunkLength(chunk) / second.limits().blockBytes();
        return PeerlaneException.io(
                "compare-lies",
                "%s compared blocks %d to %d with memory in which one bit of the word at byte %d was"
                                .formatted(second.name(), lba, lba + blocks - 1, at)
                        + " flipped after a Compare, and found no difference again",
                "The copy is not verified, because this device's Compare ignores the data:"
                        + " verify it in host memory, and do not trust the device");
    }

    /** Returns the error for a Read that completed although one of its pages never arrived. */
    PeerlaneException missing(long lba) {
        boolean host = lane.buffer().isHost();
        return PeerlaneException.io(
                host ? "host-data-missing" : "peer-data-missing",
                "%s completed the Read of block %d, but a page of it never arrived in"
                                .formatted(lane.reader().name(), lba)
                        + " the memory of "
                        + lane.buffer().owner(),
                host
                        ? "The device does not reach host memory: look for faults of"
                                + " the IOMMU in the system's log"
                        : "This platform loses peer writes between these devices: copy"
                                + " through host memory");
    }
}
