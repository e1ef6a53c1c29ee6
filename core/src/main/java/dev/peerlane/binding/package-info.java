/**
 * Moving PCI functions between the drivers of Linux and vfio-pci, and back: {@link
 * dev.peerlane.binding.Binder} plans it and does it, {@link dev.peerlane.binding.Inventory} shows
 * what there is. Whoever uses a function is found first, in files of {@code /sys} and {@code /proc}
 * and by asking for it. No device is opened here.
 */
@NullMarked
package dev.peerlane.binding;

import org.jspecify.annotations.NullMarked;
