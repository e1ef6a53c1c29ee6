package dev.peerlane.copy;

import dev.peerlane.block.PeerMemory;
import dev.peerlane.pci.Bdf;

/**
 * A CMB that could carry the data.
 *
 * @param locator the device that owns it
 * @param owner that device's address
 * @param memory the CMB, enabled
 */
public record BufferCandidate(String locator, Bdf owner, PeerMemory memory) {}
