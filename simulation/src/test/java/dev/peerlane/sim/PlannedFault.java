package dev.peerlane.sim;

import dev.peerlane.emulator.model.Fault;

/**
 * A fault of a world.
 *
 * @param fault the fault with its place and occasion
 * @param phase its occasions are counted from the beginning of this phase on
 */
record PlannedFault(Fault fault, Phase phase) {}
