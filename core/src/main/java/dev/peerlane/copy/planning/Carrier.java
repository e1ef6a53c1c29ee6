package dev.peerlane.copy.planning;

import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * The properties of a controller's memory that decide whether it may carry a copy.
 *
 * @param name the name of its owner in messages
 * @param owner PCI address of the owner
 * @param freeBytes length of the longest free piece; 0 if there is no memory, {@link #UNKNOWN} if
 *     the length was not determined
 * @param ownerMayRead whether the owner may place the data of its own Reads in this memory
 *     (CMBSZ.RDS)
 * @param ownerMayWrite whether the owner may take the data of its own Writes from this memory
 *     (CMBSZ.WDS)
 * @param loadsOvertakeWrites whether the owner declares that loads can overtake writes that it
 *     still buffers (CMBEBS.CMBRBB); null if the register was not read
 */
public record Carrier(
        String name,
        Bdf owner,
        long freeBytes,
        boolean ownerMayRead,
        boolean ownerMayWrite,
        @Nullable Boolean loadsOvertakeWrites) {
    /** The value of {@code freeBytes} if the length was not determined. */
    public static final long UNKNOWN = -1;

    /** Returns a memory whose properties are unknown. */
    public static Carrier unknown(String name, Bdf owner) {
        return new Carrier(name, owner, UNKNOWN, true, true, null);
    }

    /** Returns the present properties of a candidate's memory. */
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
