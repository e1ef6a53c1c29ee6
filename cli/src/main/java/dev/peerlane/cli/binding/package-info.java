/** The commands that change the drivers of functions: {@code bind} and {@code unbind}. */
@NullMarked
package dev.peerlane.cli.binding;

import org.jspecify.annotations.NullMarked;
