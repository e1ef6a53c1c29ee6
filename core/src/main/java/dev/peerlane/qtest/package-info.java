/**
 * Implements {@link dev.peerlane.hal} over a running QEMU. Registers and doorbells are accessed
 * through QEMU's qtest socket, queues and data through the file that backs the guest's RAM. No
 * guest runs: this package does the work of firmware (bus numbers, bridge windows, BARs, page
 * tables of an IOMMU).
 */
@NullMarked
package dev.peerlane.qtest;

import org.jspecify.annotations.NullMarked;
