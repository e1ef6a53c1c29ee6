package dev.peerlane.nvme;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.pci.Bdf;

/** A part of a controller memory buffer. The host accesses its content through the owner's BAR. */
final class CmbBuffer extends PeerBuffer {
    /** What a buffer uses of the CMB that it is part of. */
    interface Host {
        /** Returns the name of the device that owns the CMB. */
        String owner();

        /** Checks that the device is not gone, has not failed and was not reset. */
        void checkHealth();

        /** Returns the BAR that contains the CMB. */
        Bar bar();

        /** Returns the offset of the CMB in the BAR. */
        long barOffset();

        /** Lets a device access the whole CMB. */
        void admit(Bdf device);

        /** Checks that the CMB is still at this bus address. */
        void checkServes(long base);

        /** Frees a buffer that was closed. */
        void giveBack(CmbBuffer buffer, long at, long bytes, long base, boolean wipe);
    }

    private final Host host;
    private final OwnerThread thread;
    private final Bar bar;
    private final long barOffset;
    private final long offset;
    private final long sizeBytes;
    private final long busAddress;
    private boolean wipe = true;
    private boolean closed;

    /**
     * Creates a buffer over an allocated piece of the CMB.
     *
     * @param offset where the piece begins in the memory
     * @param base the bus address of the memory
     */
    CmbBuffer(Host host, OwnerThread thread, long offset, long sizeBytes, long base) {
        this.host = host;
        this.thread = thread;
        this.bar = host.bar();
        this.barOffset = host.barOffset() + offset;
        this.offset = offset;
        this.sizeBytes = sizeBytes;
        this.busAddress = base + offset;
    }

    @Override
    public String owner() {
        return host.owner();
    }

    @Override
    public boolean isHost() {
        return false;
    }

    @Override
    public void checkHealth() {
        host.checkHealth();
    }

    @Override
    public long busAddress() {
        check();
        return busAddress;
    }

    @Override
    public void admit(Bdf device) {
        check();
        host.admit(device);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    private void check() {
        thread.check(owner());
        if (closed) {
            throw new IllegalStateException("the buffer of %s is closed".formatted(owner()));
        }
        host.checkServes(busAddress - offset);
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
        return barOffset + at;
    }

    @Override
    public long load64(long at) {
        return bar.load64(place(at, 8, 8));
    }

    @Override
    public void store64(long at, long value) {
        bar.store64(place(at, 8, 8), value);
    }

    @Override
    public void fill(long at, long bytes, int word) {
        bar.fill(place(at, bytes, 4), bytes, word);
    }

    @Override
    public void wipeOnClose(boolean newWipe) {
        thread.check(owner());
        wipe = newWipe;
    }

    boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        thread.check(owner());
        if (closed) {
            return;
        }
        closed = true;
        host.giveBack(this, offset, sizeBytes, busAddress - offset, wipe);
    }
}
