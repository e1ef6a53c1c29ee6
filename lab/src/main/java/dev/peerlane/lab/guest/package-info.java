/**
 * Tests that run inside the {@linkplain dev.peerlane.lab.Guest guest}, on real Linux drivers. They
 * report their outcome on the guest's second serial port.
 */
@NullMarked
package dev.peerlane.lab.guest;

import org.jspecify.annotations.NullMarked;
