/** The command {@code doctor}, and the commands that cure its findings. */
@NullMarked
package dev.peerlane.cli.doctor;

import org.jspecify.annotations.NullMarked;
