package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * The known facts about a controller memory buffer that is not in use.
 *
 * @param owner the controller
 * @param sizeBytes its size in bytes; 0 if there is no CMB
 * @param freeBytes the longest free run of it in bytes; 0 if it can't be used
 * @param offsetBytes its offset in its BAR, in bytes
 * @param rds whether the owner's own Reads may use it (CMBSZ.RDS)
 * @param wds whether the owner's own Writes may use it (CMBSZ.WDS)
 * @param loadsOvertakeWrites CMBEBS.CMBRBB; null if it was not read
 * @param read the register values that were read, for a person
 */
public record CmbFacts(
        Bdf owner,
        long sizeBytes,
        long freeBytes,
        long offsetBytes,
        boolean rds,
        boolean wds,
        @Nullable Boolean loadsOvertakeWrites,
        String read) {}
