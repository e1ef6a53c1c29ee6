/**
 * Moves PCI functions between the drivers of Linux and vfio-pci. {@link
 * dev.peerlane.binding.Binder} plans and applies the moves, {@link dev.peerlane.binding.Inventory}
 * lists the functions. Before a move the users of a function are searched for, in files of {@code
 * /sys} and {@code /proc} and by opening its nodes exclusively. No device is driven here.
 */
@NullMarked
package dev.peerlane.binding;

import org.jspecify.annotations.NullMarked;
