/**
 * Descriptions of emulated fabrics: what drives there are, at which ports, with which media and
 * controller memory buffers, how packets travel, and what goes wrong and when. Values only, which
 * check themselves; {@link dev.peerlane.emulator.EmulatedFabric} makes a fabric of them.
 */
@NullMarked
package dev.peerlane.emulator.model;

import org.jspecify.annotations.NullMarked;
