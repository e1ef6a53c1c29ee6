/** The command {@code capture}: saves in a file what a diagnosis of a machine needs. */
@NullMarked
package dev.peerlane.cli.capture;

import org.jspecify.annotations.NullMarked;
