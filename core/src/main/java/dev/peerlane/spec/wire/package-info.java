/**
 * What driver and drive exchange: entries of queues, commands, and registers by which a controller
 * is brought up. A user of the driver meets none of it.
 */
@NullMarked
package dev.peerlane.spec.wire;

import org.jspecify.annotations.NullMarked;
