/**
 * The program {@code peerlane}: one class a subcommand, and views of what they find in text and
 * JSON apart from them.
 */
@NullMarked
package dev.peerlane.cli;

import org.jspecify.annotations.NullMarked;
