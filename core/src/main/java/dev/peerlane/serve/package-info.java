/**
 * Serves emulated drives to other processes over vfio-user. Each drive has a socket of its own. Its
 * doorbells and its CMB are memory that the client maps, and its DMA goes to the memory whose
 * descriptors the client passes. The package starts no threads: {@link
 * dev.peerlane.serve.Server#turn} does all the work.
 */
@NullMarked
package dev.peerlane.serve;

import org.jspecify.annotations.NullMarked;
