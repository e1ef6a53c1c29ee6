/**
 * An NVMe controller: registers, doorbells, queues, the command engine and the two command sets.
 *
 * <p>Written from the NVMe specification alone, without a look at the driver: each is the other's
 * oracle. The fabric knows {@code NvmeController} and, in its BARs, {@code RegisterBlock}. The
 * parts of a controller do not know it: each says in an interface what it asks for.
 */
@NullMarked
package dev.peerlane.emulator.controller;

import org.jspecify.annotations.NullMarked;
