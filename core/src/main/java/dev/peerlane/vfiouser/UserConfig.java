package dev.peerlane.vfiouser;

import dev.peerlane.pci.ConfigSpace;

/** The configuration space of a vfio-user device, read and written by message. */
final class UserConfig extends ConfigSpace {
    private final ServerLink link;
    private final long sizeBytes;

    UserConfig(ServerLink link, long sizeBytes) {
        this.link = link;
        this.sizeBytes = sizeBytes;
    }

    @Override
    public int load32(int offset) {
        check(offset, 4);
        return offset <= sizeBytes - 4 ? (int) link.read(Protocol.CONFIG_REGION, offset, 4) : -1;
    }

    @Override
    public void store32(int offset, int value) {
        check(offset, 4);
        link.write(Protocol.CONFIG_REGION, offset, 4, value);
    }

    @Override
    public void store16(int offset, int value) {
        check(offset, 2);
        link.write(Protocol.CONFIG_REGION, offset, 2, value);
    }

    private static void check(int offset, int width) {
        if (offset < 0 || offset >= 4096 || offset % width != 0) {
            throw new IndexOutOfBoundsException(
                    "configuration offset 0x%x, width %d".formatted(offset, width));
        }
    }
}
