/**
 * Emulated drives for other processes, over vfio-user: each one behind a socket of its own, with
 * doorbells and CMB as memory that the client maps, and DMA into the memory whose descriptors the
 * client gives. It starts no threads: {@link dev.peerlane.serve.Server#turn} moves everything.
 */
@NullMarked
package dev.peerlane.serve;

import org.jspecify.annotations.NullMarked;
