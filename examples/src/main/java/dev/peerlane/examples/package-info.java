/** Small programs that show how the library is used. They run on the emulator unless told else. */
@NullMarked
package dev.peerlane.examples;

import org.jspecify.annotations.NullMarked;
