/**
 * Reads fabric files and opens what they describe: emulated drives, or the drives of a running
 * QEMU.
 */
@NullMarked
package dev.peerlane.fabrics;

import org.jspecify.annotations.NullMarked;
