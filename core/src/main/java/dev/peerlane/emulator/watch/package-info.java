/**
 * What a fabric shows of its inside to somebody who looks on: a watcher of the bus, the flows
 * between peers, and what a controller has done.
 */
@NullMarked
package dev.peerlane.emulator.watch;

import org.jspecify.annotations.NullMarked;
