package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.OwnerThread;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Memory in files, whose descriptors servers get: of what is {@linkplain #forDevice for one device}
 * that device's server alone, of everything else all of them.
 */
final class UserDma extends DmaDomain implements AutoCloseable {
    /** Where memory begins on the bus. */
    static final long FIRST = 0x1_0000_0000L;

    /** Where memory ends on the bus. */
    static final long LIMIT = 0x40_0000_0000L;

    private static final int PAGE = Protocol.PAGE_BYTES;

    private final OwnerThread thread = new OwnerThread();
    private final List<UserFunction> functions;
    private final SharedMemory forAll;
    private final Map<UserFunction, Own> own = new HashMap<>();
    private long nextAddress = FIRST;
    private boolean closed;

    UserDma(List<UserFunction> functions) {
        this.functions = functions;
        forAll = new SharedMemory(this, functions);
    }

    @Override
    public int pageBytes() {
        return PAGE;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        return forAll.allocate(pages(sizeBytes));
    }

    @Override
    public DmaDomain forDevice(PciDevice device) {
        checkThread();
        UserFunction function =
                functions.stream()
                        .filter(f -> f.bdf().equals(device.bdf()))
                        .findFirst()
                        .orElseThrow(() ->
                                PeerlaneException.machine(
                                        "foreign-device",
                                        device.locator() + " is not of this fabric",
                                        "Use devices that were opened from this fabric"));
        return own.computeIfAbsent(function, f -> new Own(this, f));
    }

    private static long pages(long sizeBytes) {
        if (sizeBytes <= 0 || sizeBytes > LIMIT) {
            throw new IllegalArgumentException("a buffer of " + sizeBytes + " bytes");
        }
        return (sizeBytes + PAGE - 1) & -PAGE;
    }

    /** Returns the next free addresses on the bus, which {@link #taken} takes. */
    long freeAddresses(long bytes) {
        if (nextAddress > LIMIT - bytes) {
            throw PeerlaneException.machine(
                    "no-dma-memory",
                    bytes + " bytes of memory for DMA can't be had",
                    "Use smaller buffers");
        }
        return nextAddress;
    }

    void taken(long end) {
        nextAddress = end;
    }

    /** Maps a part of a file into every one of some devices, or into none. */
    static void mapInto(
            List<UserFunction> devices, int fd, long offset, long busAddress, long bytes) {
        List<UserFunction> mapped = new ArrayList<>();
        try {
            for (UserFunction device : devices) {
                device.link().mapDma(fd, offset, busAddress, bytes);
                mapped.add(device);
            }
        } catch (RuntimeException e) {
            try {
                unmapInto(mapped, busAddress, bytes);
            } catch (RuntimeException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    private static void unmapInto(List<UserFunction> devices, long busAddress, long bytes) {
        RuntimeException first = null;
        for (UserFunction device : devices) {
            try {
                device.link().unmapDma(busAddress, bytes);
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }

    @Override
    public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
        checkThread();
        if (!(owner instanceof UserDevice device)
                || !(bar instanceof UserBar window)
                || !device.isOpen()
                || !functions.contains(device.function())
                || !device.function().bars().contains(window)) {
            throw PeerlaneException.machine(
                    "foreign-bar",
                    "BAR " + bar.index() + " of " + owner.locator() + " is not of this fabric",
                    "Map BARs of devices that were opened from this fabric");
        }
        if (((offset | sizeBytes) & (PAGE - 1)) != 0
                || offset < 0
                || sizeBytes <= 0
                || offset > window.sizeBytes() - sizeBytes) {
            throw new IllegalArgumentException(
                    "range 0x%x, 0x%x of a BAR of 0x%x bytes"
                            .formatted(offset, sizeBytes, window.sizeBytes()));
        }
        Region region = window.region();
        if (window.area(offset, sizeBytes) == null) {
            throw PeerlaneException.machine(
                    "peer-unreachable",
                    "BAR %d of %s can't be mapped at 0x%x: its server gives no descriptor for it"
                            .formatted(bar.index(), owner.locator(), offset),
                    "Use a server that does, such as peerlane serve");
        }
        List<UserFunction> others = functions.stream().filter(f -> f != device.function()).toList();
        Peer peer = new Peer(others, window.pciAddress() + offset, sizeBytes);
        mapInto(others, region.fd(), region.fileOffset() + offset, peer.busAddress(), sizeBytes);
        return peer;
    }

    void checkThread() {
        thread.check("the servers' memory for DMA");
    }

    /** Unmaps and frees all of it. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        forAll.close();
        own.values().forEach(each -> each.memory.close());
    }

    /** What one device's server gets and no other. */
    private static final class Own extends DmaDomain {
        private final UserDma all;
        private final SharedMemory memory;

        Own(UserDma all, UserFunction function) {
            this.all = all;
            this.memory = new SharedMemory(all, List.of(function));
        }

        @Override
        public int pageBytes() {
            return PAGE;
        }

        @Override
        public DmaBuffer allocate(long sizeBytes) {
            return memory.allocate(pages(sizeBytes));
        }

        @Override
        public DmaDomain forDevice(PciDevice device) {
            return all.forDevice(device);
        }

        @Override
        public PeerMapping mapPeer(PciDevice owner, Bar bar, long offset, long sizeBytes) {
            return all.mapPeer(owner, bar, offset, sizeBytes);
        }
    }

    /** A BAR's range, mapped into all devices but its owner. */
    private final class Peer extends PeerMapping {
        private final List<UserFunction> devices;
        private final long busAddress;
        private final long sizeBytes;
        private boolean closed;

        Peer(List<UserFunction> devices, long busAddress, long sizeBytes) {
            this.devices = devices;
            this.busAddress = busAddress;
            this.sizeBytes = sizeBytes;
        }

        @Override
        public long busAddress() {
            return busAddress;
        }

        @Override
        public long sizeBytes() {
            return sizeBytes;
        }

        @Override
        public void close() {
            checkThread();
            if (!closed) {
                closed = true;
                unmapInto(devices, busAddress, sizeBytes);
            }
        }
    }
}
