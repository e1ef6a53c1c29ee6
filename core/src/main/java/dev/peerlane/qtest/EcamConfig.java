package dev.peerlane.qtest;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.ConfigSpace;
import java.util.Objects;

/**
 * The live configuration space of one function, accessed through the memory-mapped window (ECAM).
 */
final class EcamConfig extends ConfigSpace {
    /** The address at which {@link PciScan} places the window; 1 MiB for each of 256 buses. */
    static final long ECAM_BASE = 0xb000_0000L;

    private static final int CONFIG_BYTES = 4096;

    private final QtestSocket socket;
    private final Bdf bdf;
    private final long base;

    EcamConfig(QtestSocket socket, Bdf bdf) {
        this.socket = socket;
        this.bdf = bdf;
        base = ECAM_BASE + ((long) bdf.requesterId() << 12);
    }

    Bdf bdf() {
        return bdf;
    }

    @Override
    public int load32(int offset) {
        return socket.readl(at(offset, 4));
    }

    @Override
    public void store32(int offset, int value) {
        socket.writel(at(offset, 4), value);
    }

    @Override
    public void store16(int offset, int value) {
        socket.writew(at(offset, 2), value);
    }

    private long at(int offset, int width) {
        Objects.checkFromIndexSize(offset, width, CONFIG_BYTES);
        if ((offset & (width - 1)) != 0) {
            throw new IllegalArgumentException(
                    "offset 0x%x must be a multiple of %d".formatted(offset, width));
        }
        return base + offset;
    }
}
