package dev.peerlane.sim;

import dev.peerlane.emulator.model.Fault;

/**
 * A fault of a world.
 *
 * @param fault what, where, at which occasion
 * @param phase its occasions count from the beginning of this phase on
 */
record PlannedFault(Fault fault, Phase phase) {}
