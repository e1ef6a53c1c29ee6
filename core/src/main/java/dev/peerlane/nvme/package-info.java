/**
 * The user-space NVMe driver, made for peer-to-peer transfers.
 *
 * <p>{@link dev.peerlane.nvme.Controller} brings a controller up and shuts it down. {@link
 * dev.peerlane.nvme.Namespace} reads and writes blocks. {@link
 * dev.peerlane.nvme.ControllerMemoryBuffer} is the memory of a controller that its peers can
 * access. {@link dev.peerlane.nvme.NvmeBlockPort} connects the driver to the copy engine. Nothing
 * here starts a thread, and every wait is bounded and goes through {@link dev.peerlane.hal.Clock}.
 */
@NullMarked
package dev.peerlane.nvme;

import org.jspecify.annotations.NullMarked;
