/**
 * Observes a fabric: a callback for events on the bus, the flows between peers, and statistics of
 * each controller.
 */
@NullMarked
package dev.peerlane.emulator.watch;

import org.jspecify.annotations.NullMarked;
