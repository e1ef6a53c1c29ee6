/** Asks the devices of a session: what they tell of themselves, and what a route really does. */
@NullMarked
package dev.peerlane.probe;

import org.jspecify.annotations.NullMarked;
