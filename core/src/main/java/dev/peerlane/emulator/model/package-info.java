/**
 * Descriptions of emulated fabrics: the drives and their ports, media and controller memory
 * buffers, the packets, and the planned faults. These are values that check themselves; {@link
 * dev.peerlane.emulator.EmulatedFabric} makes a fabric from them.
 */
@NullMarked
package dev.peerlane.emulator.model;

import org.jspecify.annotations.NullMarked;
