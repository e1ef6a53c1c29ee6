/**
 * The interface between drivers and devices. A {@link dev.peerlane.hal.Fabric} is a set of PCI
 * functions that share one DMA domain, with their BARs and doorbells, host memory for their DMA,
 * and the one place where anything waits. Backends (emulator, QEMU, VFIO) extend these classes, and
 * the driver uses nothing else.
 */
@NullMarked
package dev.peerlane.hal;

import org.jspecify.annotations.NullMarked;
