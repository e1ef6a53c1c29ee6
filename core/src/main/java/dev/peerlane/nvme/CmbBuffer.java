package dev.peerlane.nvme;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.pci.Bdf;

/** A piece of a controller memory buffer. Its content goes by way of the owner's BAR. */
final class CmbBuffer extends PeerBuffer {
    private final ControllerMemoryBuffer cmb;
    private final long offset;
    private final long sizeBytes;
    private final long busAddress;
    private boolean wipe = true;
    private boolean closed;

    CmbBuffer(ControllerMemoryBuffer cmb, long offset, long sizeBytes, long busAddress) {
        this.cmb = cmb;
        this.offset = offset;
        this.sizeBytes = sizeBytes;
        this.busAddress = busAddress;
    }

    @Override
    public PeerMemory memory() {
        return cmb;
    }

    @Override
    public long busAddress() {
        check();
        return busAddress;
    }

    @Override
    public void admit(Bdf device) {
        check();
        cmb.admit(device);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    private void check() {
        cmb.checkOwner();
        if (closed) {
            throw new IllegalStateException("the buffer of %s is closed".formatted(cmb.owner()));
        }
        cmb.checkServes(busAddress - offset);
    }

    private long place(long at, long bytes, int align) {
        check();
        if (at < 0 || bytes < 0 || at > sizeBytes - bytes) {
            throw new IndexOutOfBoundsException(
                    "%d bytes at 0x%x of a buffer of %d bytes".formatted(bytes, at, sizeBytes));
        }
        if (((at | bytes) & (align - 1)) != 0) {
            throw new IllegalArgumentException(
                    "0x%x and 0x%x must be multiples of %d".formatted(at, bytes, align));
        }
        return offset + at;
    }

    @Override
    public long load64(long at) {
        return cmb.load64(place(at, 8, 8));
    }

    @Override
    public void store64(long at, long value) {
        cmb.store64(place(at, 8, 8), value);
    }

    @Override
    public void fill(long at, long bytes, int word) {
        cmb.fill(place(at, bytes, 4), bytes, word);
    }

    @Override
    public void wipeOnClose(boolean newWipe) {
        cmb.checkOwner();
        wipe = newWipe;
    }

    boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        cmb.checkOwner();
        if (closed) {
            throw new IllegalStateException(
                    "the buffer of %s was closed already".formatted(cmb.owner()));
        }
        closed = true;
        cmb.giveBack(this, offset, sizeBytes, busAddress - offset, wipe);
    }
}
