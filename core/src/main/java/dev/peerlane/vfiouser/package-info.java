/**
 * Devices behind vfio-user sockets, as a {@link dev.peerlane.hal.Fabric}: a device in another
 * process is driven with no privileges and no hardware. Registers are read and written by message,
 * doorbells and CMBs are mapped where the other side gives a descriptor, and host memory is a file
 * whose descriptor the device gets. A peer's BAR is mapped into another device by its descriptor.
 */
@NullMarked
package dev.peerlane.vfiouser;

import org.jspecify.annotations.NullMarked;
