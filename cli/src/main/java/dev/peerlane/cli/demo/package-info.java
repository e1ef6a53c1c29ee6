/** The command {@code demo}: a copy without hardware, and scenarios in which one goes wrong. */
@NullMarked
package dev.peerlane.cli.demo;

import org.jspecify.annotations.NullMarked;
