package dev.peerlane.emulator.controller;

/**
 * What moves the data of commands.
 *
 * @param buffers where it is inside the controller
 * @param places finds where it is outside
 * @param straight moves it between memory and medium with no buffer between
 */
record DataMoves(Buffers buffers, DataPlaces places, StraightMoves straight) {}
