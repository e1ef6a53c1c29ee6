/**
 * The PCI tree of an emulated fabric: functions with their configuration spaces, BARs and counters,
 * and the map of bus addresses. Nothing moves here.
 *
 * <p>Used by the packages {@code bus} and {@code controller}, and by the fabric, which has {@code
 * PciTree} lay out the tree. The layout of configuration spaces is private to this package.
 */
@NullMarked
package dev.peerlane.emulator.tree;

import org.jspecify.annotations.NullMarked;
