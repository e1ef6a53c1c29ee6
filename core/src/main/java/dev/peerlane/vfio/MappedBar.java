package dev.peerlane.vfio;

import dev.peerlane.linux.Kernel;
import dev.peerlane.linux.KernelException;
import dev.peerlane.mem.Mmio;

/** A BAR that is mapped completely. */
final class MappedBar extends VfioBar {
    private final Kernel kernel;
    private final long bytes;
    private long base;

    /** Creates the BAR, which takes ownership of the mapping at {@code base}. */
    MappedBar(String locator, Region region, long pciAddress, Kernel kernel, long base) {
        super(locator, region, pciAddress);
        this.kernel = kernel;
        this.bytes = region.sizeBytes();
        this.base = base;
    }

    @Override
    long mapped(long offset, long length) {
        return base != 0 && offset >= 0 && offset <= bytes - length ? base + offset : -1;
    }

    @Override
    public int load32(long offset) {
        check(offset, 4);
        try {
            int value = base == 0 ? -1 : Mmio.load32Acquire(base + offset);
            Mmio.settle();
            return value;
        } catch (InternalError e) {
            return unanswered();
        }
    }

    @Override
    public void store32(long offset, int value) {
        check(offset, 4);
        try {
            if (base != 0) {
                Mmio.store32Release(base + offset, value);
                Mmio.settle();
            }
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    @Override
    public long load64(long offset) {
        check(offset, 8);
        try {
            long value = base == 0 ? -1 : Mmio.load64Acquire(base + offset);
            Mmio.settle();
            return value;
        } catch (InternalError e) {
            return unanswered();
        }
    }

    @Override
    public void store64(long offset, long value) {
        check(offset, 8);
        try {
            if (base != 0) {
                Mmio.store64Release(base + offset, value);
                Mmio.settle();
            }
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    @Override
    void unmap() {
        silence();
        long mapping = base;
        base = 0;
        if (mapping != 0) {
            KernelException.check(
                    kernel.munmap(mapping, bytes),
                    "bar-not-unmapped",
                    "munmap",
                    "BAR%d of %s".formatted(index(), locator()),
                    "End the process");
        }
    }
}
