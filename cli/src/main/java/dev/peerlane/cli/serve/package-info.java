/** The command {@code serve}: offers emulated drives to other processes. */
@NullMarked
package dev.peerlane.cli.serve;

import org.jspecify.annotations.NullMarked;
