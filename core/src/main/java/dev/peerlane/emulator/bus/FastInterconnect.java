package dev.peerlane.emulator.bus;

import dev.peerlane.Bits;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.tree.AddressMap;
import dev.peerlane.emulator.tree.DmaKind;
import dev.peerlane.emulator.tree.EmulatedFunction;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.Verdict;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * DMA as plain copies in this process, at once and in order: no packets, no time on the bus. This
 * class decides what the fabric does with peer traffic, and what the IOMMU lets through.
 */
public final class FastInterconnect extends Interconnect {

    private static final long PAGE = Bits.PAGE_BYTES;
    private static final String REFUSED = "the route is refused";

    /** Which of the routes between two functions are closed. */
    private record Closed(boolean writes, boolean reads) {}

    private record Pair(EmulatedFunction initiator, EmulatedFunction owner) {}

    private final AddressMap map;
    private final FabricModel model;
    private final boolean runs;
    private final Supplier<Machine> machine;
    private final FaultLog faults;
    private final Map<Pair, Closed> routes = new HashMap<>();
    private @Nullable EmulatedFunction lastInitiator;
    private @Nullable EmulatedFunction lastOwner;
    private Closed lastClosed = new Closed(false, false);

    /**
     * Creates an interconnect.
     *
     * @param machine the present tree, from which routes are judged
     */
    public FastInterconnect(
            AddressMap map, FabricModel model, Supplier<Machine> machine, FaultLog faults) {
        this.map = map;
        this.model = model;
        this.runs = model.movesRuns();
        this.machine = machine;
        this.faults = faults;
    }

    @Override
    public void forgetRoutes() {
        routes.clear();
        lastInitiator = null;
    }

    @Override
    public boolean isImmediate() {
        return true;
    }

    @Override
    public boolean isHurried() {
        return runs || model.time() == FabricModel.Time.REAL;
    }

    /**
     * Returns the length of a page, because no posted write is longer (PCIe Base 6.0, 2.2.2); where
     * data moves in runs, a run is one write.
     */
    @Override
    long packetBytes() {
        return runs ? Long.MAX_VALUE : PAGE;
    }

    @Override
    public boolean movesRuns() {
        return runs;
    }

    /**
     * Returns whether a single mapping answers for all bytes. If it answers at the first byte it
     * does so for all, because registers come first in a BAR.
     */
    @Override
    public boolean isOnePlace(EmulatedFunction initiator, long address, long bytes) {
        AddressMap.Range range = map.find(address, bytes);
        return range != null && answers(range, initiator, address);
    }

    @Override
    public AddressMap.@Nullable Range hostRange(long address, long bytes) {
        AddressMap.Range range = map.find(address, bytes);
        return range == null || range.owner() != null ? null : range;
    }

    @Override
    public boolean hasRoom(EmulatedFunction initiator) {
        return true;
    }

    @Override
    public int read(
            EmulatedFunction initiator,
            long address,
            MemorySegment target,
            long offset,
            long bytes,
            DmaKind kind,
            Reads reads) {
        AddressMap.Range range = map.find(address, bytes);
        if (range == null || !answers(range, initiator, address)) {
            return fault(initiator, address, target, offset, bytes, why(range)) ? DONE : FAILED;
        }
        long at = range.memoryOffset() + (address - range.base());
        if (range.owner() == null) {
            moved(initiator, null, address, bytes, Direction.READ, kind);
            initiator.traffic().host(kind, Direction.READ, bytes);
            MemorySegment.copy(range.memory(), at, target, offset, bytes);
            return DONE;
        }
        if (closed(initiator, range.owner()).reads()) {
            return fault(initiator, address, target, offset, bytes, REFUSED) ? DONE : FAILED;
        }
        moved(initiator, range.owner(), address, bytes, Direction.READ, kind);
        initiator.traffic().peer(Direction.READ, bytes);
        switch (model.peerReads()) {
            case NORMAL -> MemorySegment.copy(range.memory(), at, target, offset, bytes);
            case ONES -> target.asSlice(offset, bytes).fill((byte) -1);
            case ZEROES -> target.asSlice(offset, bytes).fill((byte) 0);
            case OTHER_MEMORY -> {
                long size = range.memory().byteSize();
                long elsewhere = Math.min((at + size / 2) % size, size - bytes);
                MemorySegment.copy(range.memory(), elsewhere, target, offset, bytes);
            }
        }
        return DONE;
    }

    @Override
    public boolean write(
            EmulatedFunction initiator,
            long address,
            MemorySegment source,
            long offset,
            long bytes,
            DmaKind kind) {
        AddressMap.Range range = map.find(address, bytes);
        if (range == null || !answers(range, initiator, address)) {
            return fault(initiator, address, null, 0, bytes, why(range));
        }
        EmulatedFunction owner = range.owner();
        if (owner == null) {
            initiator.traffic().host(kind, Direction.WRITE, bytes);
        } else {
            if (closed(initiator, owner).writes()) {
                // a posted write: the initiator never learns that it was lost
                faults.add(initiator, address, bytes, Direction.WRITE, REFUSED);
                return true;
            }
            initiator.traffic().peer(Direction.WRITE, bytes);
            if (model.peerWrites() == FabricModel.PeerWrites.VANISH) {
                return true;
            }
        }
        moved(initiator, owner, address, bytes, Direction.WRITE, kind);
        long at = range.memoryOffset() + (address - range.base());
        if (owner == null) {
            store(range.memory(), at, source, offset, bytes, kind);
        } else {
            store(owner, range.bar(), range.memory(), at, source, offset, bytes, kind);
        }
        return true;
    }

    private static boolean answers(
            AddressMap.Range range, EmulatedFunction initiator, long address) {
        EmulatedFunction owner = range.owner();
        EmulatedFunction.BarSpace bar = range.bar();
        if (owner == null || bar == null) {
            return true;
        }
        long inBar = range.translated() + (address - range.base()) - owner.barAddress(bar);
        return owner != initiator
                && owner.decodes()
                && inBar >= bar.registerBytes()
                && inBar < bar.sizeBytes();
    }

    private static String why(AddressMap.@Nullable Range range) {
        return range == null ? "IOMMU: no mapping" : "nothing decodes the address";
    }

    private boolean fault(
            EmulatedFunction initiator,
            long address,
            @Nullable MemorySegment target,
            long offset,
            long bytes,
            String why) {
        Direction direction = target == null ? Direction.WRITE : Direction.READ;
        faults.add(initiator, address, bytes, direction, why);
        if (target != null) {
            target.asSlice(offset, bytes).fill((byte) -1);
        }
        return model.unmapped() == FabricModel.Unmapped.DROPS_SILENTLY;
    }

    private Closed closed(EmulatedFunction initiator, EmulatedFunction owner) {
        if (initiator != lastInitiator || owner != lastOwner) {
            lastClosed = routes.computeIfAbsent(new Pair(initiator, owner), this::judge);
            lastInitiator = initiator;
            lastOwner = owner;
        }
        return lastClosed;
    }

    private Closed judge(Pair pair) {
        Route route = Route.between(machine.get(), pair.initiator().bdf(), pair.owner().bdf());
        return new Closed(
                route.peerWrites() == Verdict.REFUSED, route.peerReads() == Verdict.REFUSED);
    }
}
