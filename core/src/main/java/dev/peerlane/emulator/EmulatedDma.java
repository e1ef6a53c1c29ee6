package dev.peerlane.emulator;

import dev.peerlane.Bits;
import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.bus.FaultPlan;
import dev.peerlane.emulator.bus.Occasion;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.emulator.tree.FabricOwner;
import dev.peerlane.emulator.tree.PciTree;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.parts.OwnedBuffer;
import dev.peerlane.hal.parts.OwnedMapping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Host memory and peers' BARs as devices see them. A bus address is never used twice, and there is
 * a gap between buffers. So DMA to a closed buffer, or past the end of one, is a fault.
 */
final class EmulatedDma extends DmaDomain {
    private static final int PAGE_BYTES = Bits.PAGE_BYTES;
    private static final long FIRST = 0x1_0000_0000L;

    private final FabricOwner owner;
    private final AddressMap map;
    private final boolean iommu;
    private final FaultPlan faults;
    private final List<DmaBuffer> buffers = new ArrayList<>();
    private long next = FIRST;
    private int mappings;

    EmulatedDma(FabricOwner owner, AddressMap map, boolean iommu, FaultPlan faults) {
        this.owner = owner;
        this.faults = faults;
        this.map = map;
        this.iommu = iommu;
    }

    @Override
    public int pageBytes() {
        return PAGE_BYTES;
    }

    @Override
    public DmaBuffer allocate(long sizeBytes) {
        checkOwner();
        if (sizeBytes <= 0) {
            throw new IllegalArgumentException("a buffer of " + sizeBytes + " bytes");
        }
        long rounded = Bits.roundUp(sizeBytes, PAGE_BYTES);
        boolean fails = faults.next(Occasion.ALLOCATION) != null;
        if (fails || rounded < sizeBytes || next + rounded > PciTree.HOST_LIMIT) {
            throw noMemory(sizeBytes, null);
        }
        Arena arena = Arena.ofShared();
        MemorySegment memory;
        try {
            memory = arena.allocate(rounded, PAGE_BYTES);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw noMemory(sizeBytes, e);
        }
        AddressMap.Range range = new AddressMap.Range(next, rounded, memory, 0, null, null);
        if (!map.add(range)) {
            arena.close();
            throw new IllegalStateException("bus address 0x%x is taken".formatted(next));
        }
        next += rounded + PAGE_BYTES;
        DmaBuffer buffer = new Buffer(range, arena);
        buffers.add(buffer);
        return buffer;
    }

    @Override
    public PeerMapping mapPeer(PciDevice device, Bar bar, long offset, long sizeBytes) {
        checkOwner();
        if (!(bar instanceof EmulatedBar window) || !window.isOf(device)) {
            throw PeerlaneException.machine(
                    "foreign-bar",
                    "BAR " + bar.index() + " of " + device.locator() + " is not of this fabric",
                    "Map BARs of devices that were opened from this fabric");
        }
        OwnedMapping.checkRange(this, window, offset, sizeBytes);
        EmulatedFunction function = window.function();
        MemorySegment memory = window.space().memory();
        if (!function.decodes() || memory == null || offset < window.space().registerBytes()) {
            throw PeerlaneException.machine(
                    "peer-unreachable",
                    "BAR %d of %s at 0x%x is not memory, or does not decode"
                            .formatted(bar.index(), device.locator(), offset),
                    "Map the part of a BAR that holds the CMB, while the device is open");
        }
        long address = window.pciAddress() + offset;
        if (faults.next(Occasion.MAPPING) != null) {
            throw PeerlaneException.machine(
                    "dma-map-failed",
                    "0x%x of %s can't be mapped for peers".formatted(address, device.locator()),
                    "Remove the fault of kind mapping from the fabric's description");
        }
        if (!iommu) {
            return new Mapping(address, sizeBytes, null);
        }
        AddressMap.Range range =
                new AddressMap.Range(address, sizeBytes, memory, offset, function, window.space());
        if (!map.add(range)) {
            throw PeerlaneException.machine(
                    "peer-mapped-already",
                    "0x%x of %s is mapped already".formatted(address, device.locator()),
                    "Close the other mapping first");
        }
        return new Mapping(address, sizeBytes, range);
    }

    private void checkOwner() {
        owner.check();
    }

    /** Returns the number of mapped windows. */
    int mappings() {
        return mappings;
    }

    /** Returns the number of allocated buffers. */
    int allocations() {
        return buffers.size();
    }

    /** Frees the buffers that are still allocated. */
    void close() {
        List.copyOf(buffers).forEach(DmaBuffer::close);
    }

    private static PeerlaneException noMemory(long sizeBytes, @Nullable Throwable cause) {
        return new PeerlaneException(
                PeerlaneException.Category.MACHINE,
                "no-dma-memory",
                sizeBytes + " bytes of host memory for DMA can't be allocated",
                "Use smaller buffers, or raise -XX:MaxDirectMemorySize",
                cause);
    }

    /** A buffer in host memory. */
    private final class Buffer extends OwnedBuffer {
        private final AddressMap.Range range;
        private final Arena arena;

        Buffer(AddressMap.Range range, Arena arena) {
            super(EmulatedDma.this::checkOwner, range.memory(), range.base());
            this.range = range;
            this.arena = arena;
        }

        @Override
        protected void giveBack() {
            map.remove(range);
            buffers.remove(this);
            arena.close();
        }
    }

    /** A mapped window of a peer's BAR. */
    private final class Mapping extends OwnedMapping {
        private final AddressMap.@Nullable Range range;

        /** Creates a mapping; the range is null if there is no IOMMU to map it. */
        Mapping(long busAddress, long sizeBytes, AddressMap.@Nullable Range range) {
            super(EmulatedDma.this::checkOwner, busAddress, sizeBytes);
            this.range = range;
            mappings++;
        }

        @Override
        protected void unmap() {
            if (range != null) {
                map.remove(range);
            }
            mappings--;
        }
    }
}
