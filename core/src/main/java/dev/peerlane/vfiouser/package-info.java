/**
 * Implements {@link dev.peerlane.hal.Fabric} for devices behind vfio-user sockets: it drives a
 * device in another process, with no privileges and no hardware. Registers are read and written by
 * message. Doorbells and CMBs are mapped where the server passes a descriptor. Host memory is a
 * file whose descriptor is passed to the server. A peer's BAR is mapped into another device's
 * server by its descriptor.
 */
@NullMarked
package dev.peerlane.vfiouser;

import org.jspecify.annotations.NullMarked;
