/** The commands about the program itself: {@code help} and {@code completion}. */
@NullMarked
package dev.peerlane.cli.help;

import org.jspecify.annotations.NullMarked;
