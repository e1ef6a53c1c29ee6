/**
 * PCI Express as values: addresses, configuration space, capabilities, the tree of one machine, and
 * the verdict on each route in it. Verdicts are computed from one snapshot. Only a live {@link
 * dev.peerlane.pci.ConfigSpace} touches a device.
 */
@NullMarked
package dev.peerlane.pci;

import org.jspecify.annotations.NullMarked;
