package dev.peerlane.vfio;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.parts.MappedDoorbell;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.hal.parts.OwnerThread;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A BAR of a VFIO device. If its memory stops answering (the device was unplugged, or its memory
 * decoding is off), loads return all ones; stores and bulk loads throw a fault.
 *
 * <p>Such an access is a SIGBUS, which the virtual machine turns into an {@link InternalError} at
 * the next safepoint poll of the thread. Compiled code may have left the method by then, so each
 * access in a try block is followed by {@link dev.peerlane.mem.Mmio#settle}.
 */
abstract class VfioBar extends Bar {

    private final OwnerThread thread = new OwnerThread();
    private final String locator;
    private final Region region;
    private final long pciAddress;
    private final List<MappedDoorbell> doorbells = new ArrayList<>();
    private boolean faulted;

    VfioBar(String locator, Region region, long pciAddress) {
        this.locator = locator;
        this.region = region;
        this.pciAddress = pciAddress;
    }

    @Override
    public final int index() {
        return region.index();
    }

    @Override
    public final long sizeBytes() {
        return region.sizeBytes();
    }

    @Override
    public final long pciAddress() {
        return pciAddress;
    }

    final String locator() {
        return locator;
    }

    final Region region() {
        return region;
    }

    /**
     * Returns the address of a range in this process, or -1 if the range is not mapped
     * contiguously.
     */
    abstract long mapped(long offset, long bytes);

    /** Unmaps the BAR from this process. */
    abstract void unmap();

    @Override
    public final Doorbell doorbell(long offset) {
        check(offset, 4);
        long address = mapped(offset, 4);
        if (address == -1) {
            return new MessageDoorbell(this, offset);
        }
        MappedDoorbell doorbell = new MappedDoorbell(address);
        doorbells.add(doorbell);
        return doorbell;
    }

    /** Disconnects the doorbells, so that ringing one that is still held has no effect. */
    final void silence() {
        doorbells.forEach(MappedDoorbell::silence);
        doorbells.clear();
    }

    /** Records that a load ended in a SIGBUS. Returns all ones, the load's value. */
    final int unanswered() {
        faulted = true;
        return -1;
    }

    @Override
    public void load(long offset, MemorySegment target) {
        thread.check(locator);
        faulted = false;
        super.load(offset, target);
        if (faulted) {
            throw fault(null);
        }
    }

    /** Returns the fault for memory that does not answer. */
    final PeerlaneException fault(@Nullable InternalError e) {
        return MemoryFault.of("BAR%d of %s".formatted(index(), locator), e);
    }

    /** Checks that the owner's thread calls and that the access is aligned and within the BAR. */
    final void check(long offset, int width) {
        thread.check(locator);
        Objects.checkFromIndexSize(offset, width, region.sizeBytes());
        if ((offset & (width - 1)) != 0) {
            throw new IndexOutOfBoundsException(
                    "offset 0x%x is not a multiple of %d".formatted(offset, width));
        }
    }

    /** A doorbell that is written through the device's descriptor. */
    private static final class MessageDoorbell extends Doorbell {
        private final VfioBar bar;
        private final long offset;

        MessageDoorbell(VfioBar bar, long offset) {
            this.bar = bar;
            this.offset = offset;
        }

        @Override
        public void ring(int value) {
            bar.store32(offset, value);
        }
    }
}
