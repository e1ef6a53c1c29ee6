package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;

/**
 * A DMA request of a function that the fabric blocked.
 *
 * @param initiator the function that sent the request
 * @param address bus address of the request
 * @param bytes length of the request
 * @param direction whether the request was a read or a write; the sender of a lost write is never
 *     informed
 * @param why what blocked the request: {@code IOMMU: no mapping}, {@code ACS of 0000:02:00.0: ...}
 */
public record DmaFault(Bdf initiator, long address, long bytes, Direction direction, String why) {
    /** Returns the fault as text for a person. */
    public String words() {
        return "%s of %d bytes by %s at 0x%x: %s"
                .formatted(direction.word(), bytes, initiator, address, why);
    }
}
