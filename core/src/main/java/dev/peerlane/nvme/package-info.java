/**
 * The NVMe driver in user space, with peer-to-peer memory as a first-class thing.
 *
 * <p>{@link dev.peerlane.nvme.Controller} brings a controller up and takes it down; {@link
 * dev.peerlane.nvme.Namespace} reads and writes; {@link dev.peerlane.nvme.ControllerMemoryBuffer}
 * is the memory of a controller that its peers can reach; {@link dev.peerlane.nvme.NvmeBlockPort}
 * is the driver's end of the copy engine. Nothing here starts a thread, and everything that waits
 * waits at the {@link dev.peerlane.hal.Clock} for a bounded time.
 */
@NullMarked
package dev.peerlane.nvme;

import org.jspecify.annotations.NullMarked;
