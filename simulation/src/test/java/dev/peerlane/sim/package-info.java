/**
 * Deterministic simulation. A seed becomes a fabric, drives and copies. The real driver and copy
 * engine run on it in virtual time, and independent checkers examine the result.
 */
@NullMarked
package dev.peerlane.sim;

import org.jspecify.annotations.NullMarked;
