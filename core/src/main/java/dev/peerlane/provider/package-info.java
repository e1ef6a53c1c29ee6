/**
 * Opens the devices that locators name: emulated drives, devices bound to vfio-pci, vfio-user
 * sockets.
 */
@NullMarked
package dev.peerlane.provider;

import org.jspecify.annotations.NullMarked;
