/**
 * The NVMe wire format: registers, queue entries, Identify and log pages, status.
 *
 * <p>Nothing here holds state or performs I/O. A driver and an emulated controller compose and
 * decode the same bytes from the same tables, so each checks the other. Section numbers are those
 * of the NVMe Base Specification 2.0, the NVM Command Set Specification 1.0 and the NVMe over PCIe
 * Transport Specification 1.0. Decoders return what a device reports unchanged, even if it is
 * invalid: the code that uses a value checks it first.
 */
@NullMarked
package dev.peerlane.spec;

import org.jspecify.annotations.NullMarked;
