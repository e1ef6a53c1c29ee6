package dev.peerlane.emulator.media;

import dev.peerlane.emulator.model.NamespaceSpec;
import java.lang.foreign.Arena;

/** A namespace: its format, its medium, and whether it is write protected now. */
public final class EmulatedNamespace implements AutoCloseable {
    private final int nsid;
    private final NamespaceSpec spec;
    private final Media media;
    private final int blockShift;
    private boolean writeProtected;

    EmulatedNamespace(int nsid, NamespaceSpec spec, Arena arena) {
        this.nsid = nsid;
        this.spec = spec;
        this.blockShift = Integer.numberOfTrailingZeros(spec.blockBytes());
        this.writeProtected = spec.writeProtected();
        this.media = open(spec, arena);
    }

    private static Media open(NamespaceSpec spec, Arena arena) {
        if (spec.discards()) {
            return new NullMedia(spec.sizeBytes());
        }
        return spec.image() == null
                ? new MemoryMedia(spec.sizeBytes(), arena)
                : ImageMedia.open(
                        spec.image(), spec.sizeBytes(), spec.blockBytes(), spec.writeProtected());
    }

    int nsid() {
        return nsid;
    }

    public NamespaceSpec spec() {
        return spec;
    }

    public Media media() {
        return media;
    }

    public long blockCount() {
        return media.sizeBytes() >>> blockShift;
    }

    public int blockShift() {
        return blockShift;
    }

    public boolean writeProtected() {
        return writeProtected;
    }

    public void writeProtect(boolean on) {
        writeProtected = on;
    }

    /** Whether blocks {@code [slba, slba + blocks)} exist; {@code slba} is unsigned. */
    public boolean contains(long slba, long blocks) {
        long count = blockCount();
        return Long.compareUnsigned(slba, count) <= 0 && blocks <= count - slba;
    }

    /** Closes it, and removes the file that was made for it. */
    void undo() {
        media.undo();
    }

    @Override
    public void close() {
        media.close();
    }
}
