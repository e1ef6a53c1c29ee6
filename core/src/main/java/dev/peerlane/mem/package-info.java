/**
 * Touching memory that a device also touches: {@link dev.peerlane.mem.Mmio} for registers and CMB
 * bytes, {@link dev.peerlane.mem.Dma} for host memory that devices read and write.
 */
@NullMarked
package dev.peerlane.mem;

import org.jspecify.annotations.NullMarked;
