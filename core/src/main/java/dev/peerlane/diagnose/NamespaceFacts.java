package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;

/**
 * What is known of a namespace.
 *
 * @param owner its controller
 * @param nsid its number there
 * @param blockBytes length of a logical block
 * @param maxTransferBytes longest transfer of one command
 * @param canCompare whether the controller has the Compare command
 */
public record NamespaceFacts(
        Bdf owner, int nsid, int blockBytes, int maxTransferBytes, boolean canCompare) {}
