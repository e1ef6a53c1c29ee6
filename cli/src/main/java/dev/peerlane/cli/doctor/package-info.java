/** The command {@code doctor}, and what to type about what it finds. */
@NullMarked
package dev.peerlane.cli.doctor;

import org.jspecify.annotations.NullMarked;
