/**
 * An NVMe controller: registers, doorbells, queues, the command engine and the two command sets.
 *
 * <p>It was written from the NVMe specification alone, without looking at the driver, so that each
 * tests the other. The fabric uses {@code NvmeController} and, in its BARs, {@code RegisterBlock}.
 * The parts of a controller do not know it: each declares in an interface what it requires.
 */
@NullMarked
package dev.peerlane.emulator.controller;

import org.jspecify.annotations.NullMarked;
