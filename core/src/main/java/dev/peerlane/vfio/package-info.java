/**
 * Real PCI devices: {@link dev.peerlane.hal} over {@code /dev/vfio}. Layouts and numbers are those
 * of the kernel's {@code linux/vfio.h} and {@code linux/iommufd.h}. What it takes to get a device
 * there and back is in {@code dev.peerlane.binding}.
 */
@NullMarked
package dev.peerlane.vfio;

import org.jspecify.annotations.NullMarked;
