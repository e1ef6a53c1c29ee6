package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferKind;

/** What can go wrong with the chunks of a {@link Pipeline}, in words. */
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

    /** A command ended with an error status that is final. */
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
                        : "Check the device's health; what is not copied is named in the receipt");
    }

    /** The data of a chunk are not the same on both sides. */
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
                                ? "The copy is not good: find out who else writes to either, then the"
                                        + " health of both devices"
                                : "The copy is not good: if no one else writes to either, this"
                                        + " platform delivers wrong data between these devices; copy"
                                        + " through host memory");
        return host ? mismatch : mismatch.with("buffer", BufferKind.HOST.label());
    }

    /** A bit of a slot that had been found equal was turned over, and it was found equal again. */
    PeerlaneException lies(long chunk, long at) {
        long lba = lane.secondLbaOf(chunk);
        BlockPort second = lane.second();
        int blocks = lane.chunkLength(chunk) / second.limits().blockBytes();
        return PeerlaneException.io(
                "compare-lies",
                "%s compared blocks %d to %d with memory in which one bit of the word at byte %d was"
                                .formatted(second.name(), lba, lba + blocks - 1, at)
                        + " turned over after a Compare, and found no difference again",
                "The copy is not verified, for this device's Compare does not look at the data:"
                        + " check the copy in host memory, and doubt the device");
    }

    /** A Read completed, and a page of it never arrived. */
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
