package dev.peerlane.emulator.controller;

/**
 * The parts that move the data of commands.
 *
 * @param buffers the memory inside the controller
 * @param places finds the memory outside the controller
 * @param straight moves data between memory and medium without a buffer
 */
record DataMoves(Buffers buffers, DataPlaces places, StraightMoves straight) {}
