/** Queries the devices of a session: reads their facts, and measures what a route really does. */
@NullMarked
package dev.peerlane.probe;

import org.jspecify.annotations.NullMarked;
