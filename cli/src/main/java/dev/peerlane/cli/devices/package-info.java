/** The commands that show devices: {@code list}, {@code identify} and {@code cmb}. */
@NullMarked
package dev.peerlane.cli.devices;

import org.jspecify.annotations.NullMarked;
