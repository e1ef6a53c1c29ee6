package dev.peerlane.qtest;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;

/**
 * A DMA request that the IOMMU blocked (VT-d 10.4.14, Fault Recording Registers).
 *
 * @param requester the function that sent the request
 * @param address address of the page; bits 11:0 are 0
 * @param direction whether the request was a read or a write
 * @param reason the fault reason: 5 is a write without permission, 6 a read without permission
 *     (VT-d 7.2.3)
 */
public record IommuFault(Bdf requester, long address, Direction direction, int reason) {
    @Override
    public String toString() {
        return "%s %s 0x%x: reason %02xh"
                .formatted(requester, direction.word() + "s", address, reason);
    }
}
