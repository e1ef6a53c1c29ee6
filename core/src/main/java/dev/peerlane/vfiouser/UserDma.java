package dev.peerlane.vfiouser;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.OwnedBuffer;
import dev.peerlane.hal.parts.OwnedMapping;
import dev.peerlane.hal.parts.OwnerThread;
import dev.peerlane.pci.Bdf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A DMA domain of memory in files, whose descriptors are passed to servers. Memory {@linkplain
 * #forDevice for one device} goes to that device's server alone; any other buffer, and a BAR, goes
 * to the servers of the devices that were admitted to it. A server can keep a descriptor that it
 * has received.
 */
final class UserDma extends DmaDomain implements AutoCloseable, OwnMemory.Host {
    private static final int PAGE = Protocol.PAGE_BYTES;

    /** Offset of the doorbells in BAR 0 (NVMe over PCIe 1.0, 3.1.2). */
    private static final long DOORBELLS = 0x1000;

    private final OwnerThread thread = new OwnerThread();
    private final List<UserFunction> functions;
    private final Map<UserFunction, OwnMemory> own = new HashMap<>();
    private final Set<Chunk> chunks = new LinkedHashSet<>();
    private final BusAddresses addresses = new BusAddresses();
    private final List<Peer> peers = new ArrayList<>();

    UserDma(List<UserFunction> functions) {
        this.functions = functions;
    }

    @Override
    public int pageBytes() {
        return PAGE;
    }

    /**
     * Allocates a buffer in a file of its own, so that a server that has one buffer can't reach
     * another.
     */
    @Override
    public DmaBuffer allocate(long sizeBytes) {
        return new Buffer(chunk(sizeBytes));
    }

    @Override
    public DmaDomain forDevice(PciDevice device) {
        checkThread();
        return own.computeIfAbsent(function(device.bdf()), f -> new OwnMemory(this, this, f));
    }

    @Override
    public UserFunction function(Bdf device) {
        checkThread();
        for (UserFunction function : functions) {
            if (function.bdf().equals(device)) {
                return function;
            }
        }
        throw PeerlaneException.machine(
                "foreign-device",
                device + " is not of this fabric",
                "Use devices that were opened from this fabric");
    }

    @Override
    public Chunk chunk(long sizeBytes) {
        checkThread();
        Chunk chunk = new Chunk(addresses, BusAddresses.pages(sizeBytes), chunks::remove);
        chunks.add(chunk);
        return chunk;
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
        OwnedMapping.checkRange(this, window, offset, sizeBytes);
        checkReachable(window, owner, offset, sizeBytes);
        long busAddress = window.pciAddress() + offset;
        for (Peer other : peers) {
            if (busAddress < other.busAddress() + other.sizeBytes()
                    && other.busAddress() < busAddress + sizeBytes) {
                throw PeerlaneException.machine(
                        "peer-mapped-already",
                        "0x%x of %s is mapped already".formatted(busAddress, owner.locator()),
                        "Close the other mapping first");
            }
        }
        Peer peer = new Peer(device.function(), window.region(), offset, busAddress, sizeBytes);
        peers.add(peer);
        return peer;
    }

    private static void checkReachable(UserBar bar, PciDevice owner, long offset, long bytes) {
        if (bar.area(offset, bytes) == null) {
            throw PeerlaneException.machine(
                            "peer-unreachable",
                            "BAR %d of %s can't be mapped at 0x%x: its server gives no descriptor for it"
                                    .formatted(bar.index(), owner.locator(), offset),
                            "Use a server that does")
                    .with("bar", String.valueOf(bar.index()));
        }
        if (bar.index() == 0 && bar.area(DOORBELLS, 4) != null) {
            throw PeerlaneException.machine(
                            "peer-unreachable",
                            "the CMB of %s can't be handed to its peers: its doorbells are in the same"
                                            .formatted(owner.locator())
                                    + " file",
                            "Use a server that keeps them apart")
                    .with("owner", owner.locator());
        }
    }

    @Override
    public void checkThread() {
        thread.check("the servers' memory for DMA");
    }

    /**
     * Frees all memory in this process. The servers drop their mappings when the connection ends.
     */
    @Override
    public void close() {
        List.copyOf(chunks).forEach(Chunk::close);
    }

    /** A buffer that is a whole chunk. */
    private final class Buffer extends OwnedBuffer {
        private final Chunk chunk;

        Buffer(Chunk chunk) {
            super(UserDma.this::checkThread, chunk.segment(), chunk.busAddress());
            this.chunk = chunk;
            segment().fill((byte) 0); // faults the pages in
        }

        @Override
        public void admit(Bdf device) {
            chunk.admit(function(device));
        }

        @Override
        protected void giveBack() {
            chunk.close();
        }
    }

    /** A mapped range of a BAR. */
    private final class Peer extends OwnedMapping {
        private final UserFunction owner;
        private final Reach reach;

        Peer(UserFunction owner, UserRegion region, long offset, long busAddress, long sizeBytes) {
            super(UserDma.this::checkThread, busAddress, sizeBytes);
            this.owner = owner;
            reach = new Reach(region.fd(), region.fileOffset() + offset, busAddress, sizeBytes);
        }

        @Override
        public void admit(Bdf device) {
            UserFunction function = function(device);
            if (function != owner) {
                reach.give(function);
            }
        }

        @Override
        protected void unmap() {
            peers.remove(this);
            reach.takeBack();
        }
    }
}
