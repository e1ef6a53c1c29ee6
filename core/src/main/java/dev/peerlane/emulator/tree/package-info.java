/**
 * The PCI tree of an emulated fabric: functions with their configuration spaces, BARs and counters,
 * and the map of bus addresses. Nothing moves here.
 *
 * <p>Used by the rooms {@code bus} and {@code controller}, and by the fabric, which has a tree laid
 * out by {@code PciTree}; the layout of configuration spaces stays in here.
 */
@NullMarked
package dev.peerlane.emulator.tree;

import org.jspecify.annotations.NullMarked;
