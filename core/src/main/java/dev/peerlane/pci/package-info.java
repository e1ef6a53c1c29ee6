/**
 * PCI Express as values: addresses, configuration space, capabilities, the tree of one machine, and
 * the verdict on each route in it. Computed from one snapshot; nothing here touches a device.
 */
@NullMarked
package dev.peerlane.pci;

import org.jspecify.annotations.NullMarked;
