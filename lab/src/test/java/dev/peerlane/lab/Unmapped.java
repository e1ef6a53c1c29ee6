package dev.peerlane.lab;

import dev.peerlane.block.PeerBuffer;

/** An address that no device may access, presented as a buffer to validate other tests. */
final class Unmapped extends PeerBuffer {
    private final long busAddress;

    Unmapped(long busAddress) {
        this.busAddress = busAddress;
    }

    @Override
    public String owner() {
        throw new UnsupportedOperationException("no memory is behind it");
    }

    @Override
    public boolean isHost() {
        return false;
    }

    @Override
    public void checkHealth() {
        // there is no device behind it
    }

    @Override
    public long busAddress() {
        return busAddress;
    }

    @Override
    public long sizeBytes() {
        return 1 << 20;
    }

    @Override
    public long load64(long offset) {
        throw new UnsupportedOperationException("no memory is behind it");
    }

    @Override
    public void store64(long offset, long value) {
        throw new UnsupportedOperationException("no memory is behind it");
    }

    @Override
    public void fill(long offset, long bytes, int word) {
        throw new UnsupportedOperationException("no memory is behind it");
    }

    @Override
    public void wipeOnClose(boolean wipe) {
        // nothing to wipe
    }

    @Override
    public void close() {
        // nothing to free
    }
}
