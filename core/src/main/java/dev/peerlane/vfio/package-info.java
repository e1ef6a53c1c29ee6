/**
 * Implements {@link dev.peerlane.hal} for real PCI devices over {@code /dev/vfio}. Layouts and
 * numbers are those of the kernel's {@code linux/vfio.h} and {@code linux/iommufd.h}. Binding a
 * device to vfio-pci and returning it to its driver is the subject of {@code dev.peerlane.binding}.
 */
@NullMarked
package dev.peerlane.vfio;

import org.jspecify.annotations.NullMarked;
