package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.PendingLoad;
import dev.peerlane.hal.parts.MappedDoorbell;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.mem.Mmio;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A BAR of which some parts are mapped and the others are read and written by message. */
final class UserBar extends Bar implements AutoCloseable {
    private record Part(UserRegion.Area area, Mapping mapping) {}

    private final OwnerThread thread = new OwnerThread();
    private final ServerLink link;
    private final String locator;
    private final UserRegion region;
    private final long pciAddress;
    private final List<Part> parts = new ArrayList<>();
    private final List<MappedDoorbell> doorbells = new ArrayList<>();

    UserBar(ServerLink link, String locator, UserRegion region, long pciAddress) {
        this.link = link;
        this.locator = locator;
        this.region = region;
        this.pciAddress = pciAddress;
        try {
            for (UserRegion.Area area : region.areas()) {
                String object = "BAR %d of %s".formatted(region.index(), locator);
                long offset = region.fileOffset() + area.offset();
                parts.add(new Part(area, Mapping.of(region.fd(), offset, area.bytes(), object)));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    UserRegion region() {
        return region;
    }

    @Override
    public int index() {
        return region.index();
    }

    @Override
    public long sizeBytes() {
        return region.sizeBytes();
    }

    @Override
    public long pciAddress() {
        return pciAddress;
    }

    @Override
    public int load32(long offset) {
        long address = mapped(offset, 4);
        if (address == 0) {
            return (int) link.read(region.index(), offset, 4);
        }
        try {
            int value = Mmio.load32Acquire(address);
            Mmio.settle();
            return value;
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    @Override
    public PendingLoad startLoad32(long offset) {
        return mapped(offset, 4) == 0
                ? link.startRead(region.index(), offset)
                : super.startLoad32(offset);
    }

    @Override
    public void store32(long offset, int value) {
        long address = mapped(offset, 4);
        if (address == 0) {
            link.write(region.index(), offset, 4, value);
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
        long address = mapped(offset, 8);
        if (address == 0) {
            return link.read(region.index(), offset, 8);
        }
        try {
            long value = Mmio.load64Acquire(address);
            Mmio.settle();
            return value;
        } catch (InternalError e) {
            throw fault(e);
        }
    }

    @Override
    public void store64(long offset, long value) {
        long address = mapped(offset, 8);
        if (address == 0) {
            link.write(region.index(), offset, 8, value);
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
    public Doorbell doorbell(long offset) {
        long address = mapped(offset, 4);
        if (address == 0) {
            return new MessageDoorbell(this, offset);
        }
        MappedDoorbell doorbell = new MappedDoorbell(address);
        doorbells.add(doorbell);
        return doorbell;
    }

    /** Returns the fault for a SIGBUS, which means that the server truncated the file. */
    private PeerlaneException fault(InternalError e) {
        return new PeerlaneException(
                PeerlaneException.Category.IO,
                "device-memory-fault",
                "BAR %d of %s no longer answers".formatted(region.index(), locator),
                "See whether its server still runs, then open it again",
                e);
    }

    /** Returns the address of an access in this process, or 0 if it goes by message. */
    private long mapped(long offset, int width) {
        thread.check(locator);
        Objects.checkFromIndexSize(offset, width, region.sizeBytes());
        if ((offset & (width - 1)) != 0) {
            throw new IndexOutOfBoundsException(
                    "offset 0x%x is not a multiple of %d".formatted(offset, width));
        }
        for (Part part : parts) {
            if (part.area.holds(offset, width)) {
                return part.mapping.address() + (offset - part.area.offset());
            }
        }
        return 0;
    }

    /** Returns the mappable part that contains a range, or null. */
    UserRegion.@Nullable Area area(long offset, long bytes) {
        for (UserRegion.Area area : region.areas()) {
            if (area.holds(offset, bytes)) {
                return area;
            }
        }
        return null;
    }

    @Override
    public void close() {
        doorbells.forEach(MappedDoorbell::silence);
        doorbells.clear();
        parts.forEach(part -> part.mapping.close());
        parts.clear();
    }

    /** A doorbell that sends each value as a message. */
    private static final class MessageDoorbell extends Doorbell {
        private final UserBar bar;
        private final long offset;

        MessageDoorbell(UserBar bar, long offset) {
            this.bar = bar;
            this.offset = offset;
        }

        @Override
        public void ring(int value) {
            bar.store32(offset, value);
        }
    }
}
