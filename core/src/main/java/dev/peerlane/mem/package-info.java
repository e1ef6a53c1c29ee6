/**
 * Access to memory that a device also accesses: {@link dev.peerlane.mem.Mmio} for registers and CMB
 * bytes, {@link dev.peerlane.mem.Dma} for host memory.
 */
@NullMarked
package dev.peerlane.mem;

import org.jspecify.annotations.NullMarked;
