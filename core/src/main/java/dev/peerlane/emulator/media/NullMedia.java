package dev.peerlane.emulator.media;

import java.lang.foreign.MemorySegment;

/** A medium that keeps nothing and reads as zeroes. */
final class NullMedia extends Media {
    private final long sizeBytes;

    NullMedia(long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long position, MemorySegment target, long offset, long bytes) {
        zero(target, offset, bytes);
    }

    @Override
    public void write(
            long position, MemorySegment source, long offset, long bytes, boolean durable) {}

    @Override
    public void clear(long position, long bytes) {}

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
