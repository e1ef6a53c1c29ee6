package dev.peerlane.vfio;

import dev.peerlane.pci.ConfigSpace;

/** The configuration space of a VFIO device. VFIO virtualises some of its registers. */
final class VfioConfig extends ConfigSpace {
    private final DeviceFile file;
    private final Region region;

    VfioConfig(DeviceFile file, Region region) {
        this.file = file;
        this.region = region;
    }

    @Override
    public int load32(int offset) {
        check(offset, 4);
        return (int) file.load(region, offset, 4);
    }

    @Override
    public void store32(int offset, int value) {
        check(offset, 4);
        file.store(region, offset, 4, value);
    }

    @Override
    public void store16(int offset, int value) {
        check(offset, 2);
        file.store(region, offset, 2, value);
    }

    private static void check(int offset, int width) {
        if (offset < 0 || offset >= 4096 || offset % width != 0) {
            throw new IndexOutOfBoundsException(
                    "configuration offset 0x%x, width %d".formatted(offset, width));
        }
    }
}
