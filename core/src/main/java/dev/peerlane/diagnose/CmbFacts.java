package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a controller memory buffer without using it.
 *
 * @param owner the controller
 * @param sizeBytes its size; 0 if there is none
 * @param freeBytes the longest piece of it that can be had; 0 if it can't be used
 * @param offsetBytes where it starts in its BAR
 * @param rds whether the owner's own Reads may use it (CMBSZ.RDS)
 * @param wds whether the owner's own Writes may use it (CMBSZ.WDS)
 * @param loadsOvertakeWrites CMBEBS.CMBRBB; null if nobody looked
 * @param read what was read, for a person
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
