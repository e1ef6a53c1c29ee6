/**
 * NVMe controllers that exist only in this process, on a PCI Express fabric of root ports and
 * switches: {@link dev.peerlane.hal.Fabric} with no hardware behind it.
 *
 * <p>Written from the NVMe specification alone, without a look at the driver: each is the other's
 * oracle. Nothing runs by itself: controllers move when the fabric's clock takes a turn, and
 * everything that is random comes from the fabric's seed, so a run can be repeated exactly.
 *
 * <p>How it is cut: {@link dev.peerlane.emulator.FabricSpec} says what there is; the PCI tree is
 * laid out in real configuration spaces; all DMA goes through one narrow interface, {@code
 * Interconnect}; a controller is its registers, queues, command engine, the two command sets, and
 * the media below them.
 */
@NullMarked
package dev.peerlane.emulator;

import org.jspecify.annotations.NullMarked;
