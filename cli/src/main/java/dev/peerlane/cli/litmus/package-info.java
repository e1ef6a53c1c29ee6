/** The command {@code litmus}: how often a fence lets old bytes go on. */
@NullMarked
package dev.peerlane.cli.litmus;

import org.jspecify.annotations.NullMarked;
