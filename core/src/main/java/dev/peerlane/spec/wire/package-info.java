/**
 * What driver and drive exchange: queue entries, commands, and the registers of bring-up, of the
 * controller memory buffer and of the persistent memory region. Users of the driver meet none of
 * it.
 */
@NullMarked
package dev.peerlane.spec.wire;

import org.jspecify.annotations.NullMarked;
