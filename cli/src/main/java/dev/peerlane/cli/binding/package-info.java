/** The commands that give functions to other drivers: {@code bind} and {@code unbind}. */
@NullMarked
package dev.peerlane.cli.binding;

import org.jspecify.annotations.NullMarked;
