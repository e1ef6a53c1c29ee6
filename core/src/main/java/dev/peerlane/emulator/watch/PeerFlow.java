package dev.peerlane.emulator.watch;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;

/**
 * Requests of one function to another's memory.
 *
 * @param initiator who sent them
 * @param owner whose memory
 * @param direction whether they were reads or writes
 * @param throughRoot whether they went through the root complex
 */
public record PeerFlow(Bdf initiator, Bdf owner, Direction direction, boolean throughRoot) {}
