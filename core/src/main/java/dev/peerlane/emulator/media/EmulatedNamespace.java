package dev.peerlane.emulator.media;

import dev.peerlane.emulator.model.NamespaceModel;
import java.lang.foreign.Arena;

/** A namespace: its format, its medium, and its present write protection. */
public final class EmulatedNamespace implements AutoCloseable {
    private final int nsid;
    private final NamespaceModel model;
    private final Media media;
    private final int blockShift;
    private boolean writeProtected;

    EmulatedNamespace(int nsid, NamespaceModel model, Arena arena) {
        this.nsid = nsid;
        this.model = model;
        this.blockShift = Integer.numberOfTrailingZeros(model.blockBytes());
        this.writeProtected = model.writeProtected();
        this.media = open(model, arena);
    }

    private static Media open(NamespaceModel model, Arena arena) {
        if (model.discards()) {
            return new NullMedia(model.sizeBytes());
        }
        return model.image() == null
                ? new MemoryMedia(model.sizeBytes(), arena)
                : ImageMedia.open(
                        model.image(),
                        model.sizeBytes(),
                        model.blockBytes(),
                        model.writeProtected());
    }

    int nsid() {
        return nsid;
    }

    /** Returns the description. */
    public NamespaceModel model() {
        return model;
    }

    /** Returns the medium. */
    public Media media() {
        return media;
    }

    /** Returns the number of blocks. */
    public long blockCount() {
        return media.sizeBytes() >>> blockShift;
    }

    /** Returns the binary logarithm of the block length in bytes. */
    public int blockShift() {
        return blockShift;
    }

    /** Returns whether the namespace is write protected. */
    public boolean writeProtected() {
        return writeProtected;
    }

    /** Turns write protection on or off. */
    public void writeProtect(boolean on) {
        writeProtected = on;
    }

    /** Returns whether blocks {@code [slba, slba + blocks)} exist; {@code slba} is unsigned. */
    public boolean contains(long slba, long blocks) {
        long count = blockCount();
        return Long.compareUnsigned(slba, count) <= 0 && blocks <= count - slba;
    }

    /** Closes the namespace, and deletes the file if it was made for it. */
    void undo() {
        media.undo();
    }

    @Override
    public void close() {
        media.close();
    }
}
