package dev.peerlane.hal;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;

/**
 * A request of a function that the fabric did not let through.
 *
 * @param initiator who sent it
 * @param address its bus address
 * @param bytes its length
 * @param direction whether it was a read or a write; a lost write its sender never learns of
 * @param why what stopped it: {@code IOMMU: no mapping}, {@code ACS of 0000:02:00.0: ...}
 */
public record DmaFault(Bdf initiator, long address, long bytes, Direction direction, String why) {
    /** Returns it in words. */
    public String words() {
        return "%s of %d bytes by %s at 0x%x: %s"
                .formatted(direction.word(), bytes, initiator, address, why);
    }
}
