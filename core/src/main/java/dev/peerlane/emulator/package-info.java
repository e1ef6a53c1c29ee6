/**
 * NVMe controllers that exist only in this process, on a PCI Express fabric of root ports and
 * switches: {@link dev.peerlane.hal.Fabric} with no hardware behind it.
 *
 * <p>Written from the NVMe specification alone, without a look at the driver: each is the other's
 * oracle. Nothing runs by itself: controllers move when the fabric's clock takes a turn, and
 * everything that is random comes from the fabric's seed, so a run can be repeated exactly.
 *
 * <p>This is the front, which a test meets: a fabric, its clock, its devices, and a view of each
 * controller. {@link dev.peerlane.emulator.model.FabricModel} says what there is, and the room
 * {@code watch} what can be seen of it. Behind them are the PCI tree, laid out in real
 * configuration spaces; the bus, through which all DMA goes; a controller, which is its registers,
 * queues, command engine and the two command sets; and the media below.
 */
@NullMarked
package dev.peerlane.emulator;

import org.jspecify.annotations.NullMarked;
