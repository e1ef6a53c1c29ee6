/** The command {@code serve}: emulated drives for other processes. */
@NullMarked
package dev.peerlane.cli.serve;

import org.jspecify.annotations.NullMarked;
