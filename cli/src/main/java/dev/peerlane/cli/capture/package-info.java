/** The command {@code capture}: a machine in a file. */
@NullMarked
package dev.peerlane.cli.capture;

import org.jspecify.annotations.NullMarked;
