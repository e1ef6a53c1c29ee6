/**
 * The seam to devices: a {@link dev.peerlane.hal.Fabric} of PCI functions that share one DMA
 * domain, their BARs and doorbells, host memory that they can reach, and the one place where
 * anything waits. Backends (emulator, QEMU, VFIO) extend these classes; the driver sees nothing
 * else.
 */
@NullMarked
package dev.peerlane.hal;

import org.jspecify.annotations.NullMarked;
