/**
 * Deterministic simulation: a seed becomes a fabric, drives and copies; the real driver and copy
 * engine run on it in virtual time, and checkers apart from both look at what became of it.
 */
@NullMarked
package dev.peerlane.sim;

import org.jspecify.annotations.NullMarked;
