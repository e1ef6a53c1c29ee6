package dev.peerlane.hal.parts;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PeerMapping;

/** A mapped range of a BAR that is unmapped once, by its owner thread. Subclasses decide how. */
public abstract class OwnedMapping extends PeerMapping {
    private final Runnable ownerCheck;
    private final long busAddress;
    private final long sizeBytes;
    private boolean closed;

    /**
     * Creates a mapping.
     *
     * @param ownerCheck throws if the calling thread is not the owner
     * @param busAddress the bus address of the first byte
     */
    protected OwnedMapping(Runnable ownerCheck, long busAddress, long sizeBytes) {
        this.ownerCheck = ownerCheck;
        this.busAddress = busAddress;
        this.sizeBytes = sizeBytes;
    }

    /**
     * Checks a range against the rules of {@link DmaDomain#mapPeer}.
     *
     * @throws IllegalArgumentException if the range does not consist of whole pages, or exceeds the
     *     BAR
     */
    public static void checkRange(DmaDomain domain, Bar bar, long offset, long sizeBytes) {
        if (((offset | sizeBytes) & (domain.pageBytes() - 1)) != 0
                || offset < 0
                || sizeBytes <= 0
                || offset > bar.sizeBytes() - sizeBytes) {
            throw new IllegalArgumentException(
                    "offset 0x%x, length 0x%x: not multiples of 0x%x in a BAR of 0x%x bytes"
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

    /** Marks the mapping as unmapped, because something else has removed it. */
    protected final void lost() {
        closed = true;
    }

    /** Removes the mapping. Called once. */
    protected abstract void unmap();
}
