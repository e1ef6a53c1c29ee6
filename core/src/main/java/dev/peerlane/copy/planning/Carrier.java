package dev.peerlane.copy.planning;

import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a controller, as far as it decides whether it may carry a copy.
 *
 * @param name what a person calls its owner
 * @param owner whose it is
 * @param freeBytes the longest piece that can be had; 0 for no memory, {@link #UNKNOWN} if nobody
 *     looked
 * @param ownerMayRead whether the owner may place data of its own Reads in it (CMBSZ.RDS)
 * @param ownerMayWrite whether the owner may take data of its own Writes from it (CMBSZ.WDS)
 * @param loadsOvertakeWrites whether the owner says that loads overtake what it still buffers
 *     (CMBEBS.CMBRBB); null if nobody looked
 */
public record Carrier(
        String name,
        Bdf owner,
        long freeBytes,
        boolean ownerMayRead,
        boolean ownerMayWrite,
        @Nullable Boolean loadsOvertakeWrites) {
    /** Nobody looked how much there is. */
    public static final long UNKNOWN = -1;

    /** Returns a memory of which nothing is known. */
    public static Carrier unknown(String name, Bdf owner) {
        return new Carrier(name, owner, UNKNOWN, true, true, null);
    }

    /** Returns what a candidate is now. */
    static Carrier of(BufferCandidate candidate) {
        PeerMemory memory = candidate.memory();
        return new Carrier(
                candidate.locator(),
                candidate.owner(),
                Geometry.freeBytes(memory),
                memory.ownerMayRead(),
                memory.ownerMayWrite(),
                memory.loadsOvertakeWrites());
    }
}
