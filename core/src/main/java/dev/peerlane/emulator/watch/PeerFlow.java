package dev.peerlane.emulator.watch;

import dev.peerlane.pci.Bdf;

/**
 * Requests of one function to another's memory.
 *
 * @param initiator who sent them
 * @param owner whose memory
 * @param reads whether they were reads
 * @param throughRoot whether they went through the root complex
 */
public record PeerFlow(Bdf initiator, Bdf owner, boolean reads, boolean throughRoot) {}
