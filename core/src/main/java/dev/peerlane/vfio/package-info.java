/**
 * Real PCI devices: {@link dev.peerlane.hal} over {@code /dev/vfio}, and what it takes to get a
 * device there and back ({@link dev.peerlane.vfio.Inventory}, {@link dev.peerlane.vfio.Binder}).
 * Layouts and numbers are those of the kernel's {@code linux/vfio.h} and {@code linux/iommufd.h}.
 */
@NullMarked
package dev.peerlane.vfio;

import org.jspecify.annotations.NullMarked;
