/** Small programs that show how to use the library. They run on the emulator by default. */
@NullMarked
package dev.peerlane.examples;

import org.jspecify.annotations.NullMarked;
