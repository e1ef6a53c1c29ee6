package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;

/**
 * What is known of a controller memory buffer without using it.
 *
 * @param owner the controller
 * @param sizeBytes its size; 0 if there is none
 * @param offsetBytes where it starts in its BAR
 * @param rds whether the owner's own Reads may use it (CMBSZ.RDS)
 * @param wds whether the owner's own Writes may use it (CMBSZ.WDS)
 * @param read what was read, for a person
 */
public record CmbFacts(
        Bdf owner, long sizeBytes, long offsetBytes, boolean rds, boolean wds, String read) {}
