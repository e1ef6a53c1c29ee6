package dev.peerlane.vfio;

import dev.peerlane.linux.Cleanup;
import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.mem.Mmio;
import java.util.ArrayList;
import java.util.List;

/** A BAR whose unmappable parts are read and written through the device's descriptor. */
final class MixedBar extends VfioBar {
    private record Area(long start, long last, long address) {}

    private final Kernel kernel;
    private final DeviceFile file;
    private final List<Area> areas = new ArrayList<>();

    MixedBar(String locator, Region region, long pciAddress, Kernel kernel, DeviceFile file) {
        super(locator, region, pciAddress);
        this.kernel = kernel;
        this.file = file;
    }

    /** Adds a mapping, of which the BAR takes ownership. */
    void add(Span piece, long address) {
        areas.add(new Area(piece.start(), piece.last(), address));
    }

    @Override
    long mapped(long offset, long bytes) {
        for (Area area : areas) {
            if (offset >= area.start && offset + bytes - 1 <= area.last) {
                return area.address + (offset - area.start);
            }
        }
        return -1;
    }

    @Override
    public int load32(long offset) {
        check(offset, 4);
        long address = mapped(offset, 4);
        if (address == -1) {
            return (int) file.load(region(), offset, 4);
        }
        try {
            int value = Mmio.load32Acquire(address);
            Mmio.settle();
            return value;
        } catch (InternalError e) {
            return unanswered();
        }
    }

    @Override
    public void store32(long offset, int value) {
        check(offset, 4);
        long address = mapped(offset, 4);
        if (address == -1) {
            file.store(region(), offset, 4, value);
            return;
        }
        try {
            Mmio.store32Release(address, value);
            Mmio.settle();
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    @Override
    public long load64(long offset) {
        check(offset, 8);
        long address = mapped(offset, 8);
        if (address == -1) {
            return file.load(region(), offset, 8);
        }
        try {
            long value = Mmio.load64Acquire(address);
            Mmio.settle();
            return value;
        } catch (InternalError e) {
            return unanswered();
        }
    }

    @Override
    public void store64(long offset, long value) {
        check(offset, 8);
        long address = mapped(offset, 8);
        if (address == -1) {
            file.store(region(), offset, 8, value);
            return;
        }
        try {
            Mmio.store64Release(address, value);
            Mmio.settle();
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    @Override
    void unmap() {
        silence();
        Cleanup cleanup = new MemoryCleanup();
        for (Area area : areas) {
            cleanup.step(() ->
                    KernelException.check(
                            kernel.munmap(area.address, area.last - area.start + 1),
                            "bar-not-unmapped",
                            "munmap",
                            "BAR%d of %s".formatted(index(), locator()),
                            "End the process"));
        }
        areas.clear();
        cleanup.finish();
    }
}
