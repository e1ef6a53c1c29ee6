package dev.peerlane.hal.parts;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PeerMapping;

/** A range of a BAR that its owner thread unmaps once, whatever it is mapped with. */
public abstract class OwnedMapping extends PeerMapping {
    private final Runnable ownerCheck;
    private final long busAddress;
    private final long sizeBytes;
    private boolean closed;

    /**
     * Creates one.
     *
     * @param ownerCheck throws where the calling thread is not the owner
     * @param busAddress where devices find its first byte
     */
    protected OwnedMapping(Runnable ownerCheck, long busAddress, long sizeBytes) {
        this.ownerCheck = ownerCheck;
        this.busAddress = busAddress;
        this.sizeBytes = sizeBytes;
    }

    /**
     * Checks what {@link DmaDomain#mapPeer} says of a range.
     *
     * @throws IllegalArgumentException if it is no whole pages, or not in the BAR
     */
    public static void checkRange(DmaDomain domain, Bar bar, long offset, long sizeBytes) {
        if (((offset | sizeBytes) & (domain.pageBytes() - 1)) != 0
                || offset < 0
                || sizeBytes <= 0
                || offset > bar.sizeBytes() - sizeBytes) {
            throw new IllegalArgumentException(
                    "offset 0x%x and length 0x%x are no multiples of 0x%x in a BAR of 0x%x bytes"
                            .formatted(offset, sizeBytes, domain.pageBytes(), bar.sizeBytes()));
        }
    }

    @Override
    public final long busAddress() {
        return busAddress;
    }

    @Override
    public final long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public final void close() {
        ownerCheck.run();
        if (!closed) {
            closed = true;
            unmap();
        }
    }

    /** Has it count as unmapped: something else has taken the mapping away. */
    protected final void lost() {
        closed = true;
    }

    /** Takes the mapping away; called once. */
    protected abstract void unmap();
}
