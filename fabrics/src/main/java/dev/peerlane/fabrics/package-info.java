/** Reads fabric files and opens what they describe: emulated drives, or a running QEMU's. */
@NullMarked
package dev.peerlane.fabrics;

import org.jspecify.annotations.NullMarked;
