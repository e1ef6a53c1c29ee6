/**
 * {@link dev.peerlane.hal} over a running QEMU: registers and doorbells go by its qtest socket,
 * queues and data through the file that backs the guest's RAM. No guest runs; this package does
 * what firmware would do (bus numbers, bridge windows, BARs, page tables of an IOMMU).
 */
@NullMarked
package dev.peerlane.qtest;

import org.jspecify.annotations.NullMarked;
