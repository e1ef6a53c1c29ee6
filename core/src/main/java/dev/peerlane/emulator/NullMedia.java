package dev.peerlane.emulator;

import java.lang.foreign.MemorySegment;

/** A medium that keeps nothing: what is looked at of it is zero. */
final class NullMedia extends Media {
    private final long sizeBytes;

    NullMedia(long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    @Override
    long sizeBytes() {
        return sizeBytes;
    }

    @Override
    void read(long position, MemorySegment target, long offset, long bytes) {
        zero(target, offset, bytes);
    }

    @Override
    void write(long position, MemorySegment source, long offset, long bytes, boolean durable) {}

    @Override
    void clear(long position, long bytes) {}

    @Override
    void flush() {}

    @Override
    public void close() {}
}
