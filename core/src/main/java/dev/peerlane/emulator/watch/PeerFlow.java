package dev.peerlane.emulator.watch;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;

/**
 * Requests of one function to the memory of another.
 *
 * @param initiator the function that sent the requests
 * @param owner the function whose memory they access
 * @param direction read or write
 * @param throughRoot whether they went through the root complex
 */
public record PeerFlow(Bdf initiator, Bdf owner, Direction direction, boolean throughRoot) {}
