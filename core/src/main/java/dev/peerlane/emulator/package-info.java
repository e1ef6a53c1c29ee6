/**
 * Emulated NVMe controllers on an emulated PCI Express fabric of root ports and switches: a {@link
 * dev.peerlane.hal.Fabric} without hardware, in this process.
 *
 * <p>It was written from the NVMe specification alone, without looking at the driver, so that each
 * tests the other. Nothing runs by itself: controllers move when the fabric's clock takes a turn.
 * All randomness comes from the fabric's seed, so a run can be repeated exactly.
 *
 * <p>This package is what a test uses: a fabric, its clock, its devices, and a view of each
 * controller. {@link dev.peerlane.emulator.model.FabricModel} describes the fabric, and the package
 * {@code watch} observes it. Behind them are the PCI tree, laid out in real configuration spaces;
 * the bus, which carries all DMA; the controller with its registers, queues, command engine and two
 * command sets; and the media.
 */
@NullMarked
package dev.peerlane.emulator;

import org.jspecify.annotations.NullMarked;
