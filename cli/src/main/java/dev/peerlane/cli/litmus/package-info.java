/** The command {@code litmus}: counts how often a fence hands on old bytes. */
@NullMarked
package dev.peerlane.cli.litmus;

import org.jspecify.annotations.NullMarked;
