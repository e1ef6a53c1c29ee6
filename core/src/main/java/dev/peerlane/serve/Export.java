package dev.peerlane.serve;

import dev.peerlane.Bits;
import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.vfiouser.Mapping;
import dev.peerlane.vfiouser.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One served drive: a fabric with no other device in it, and the memory that clients may map. */
final class Export implements AutoCloseable {
    /** Most DMA mappings of a client, the limit of SPDK and its clients. */
    private static final int MAX_MAPPINGS = 64;

    /**
     * A part of a region that clients can map.
     *
     * @param file the file that holds it, at the same offset as in the region
     * @param offset start in the region, in bytes
     * @param bytes length in bytes
     */
    record Area(SharedBars.File file, long offset, long bytes) {}

    private record DmaRange(long bytes, @Nullable Mapping mapping) {}

    private final String name;
    private final SharedBars shared;
    private final EmulatedFabric fabric;
    private final EmulatedController controller;
    private final PciDevice device;
    private final Map<Integer, Long> barBytes = new TreeMap<>();
    private final Map<Integer, List<Area>> areas = new TreeMap<>();
    private final TreeMap<Long, DmaRange> ranges = new TreeMap<>();

    Export(DriveModel drive, FabricModel all) {
        name = drive.name();
        shared = new SharedBars(name);
        boolean done = false;
        EmulatedFabric made = null;
        try {
            FabricModel.Builder alone =
                    FabricModel.builder()
                            .drive(drive)
                            .unmapped(all.unmapped())
                            .relaxedOrdering(all.relaxedOrdering())
                            .transfers(all.transfers())
                            .seed(all.seed());
            all.faults().stream().filter(fault -> name.equals(fault.drive())).forEach(alone::fault);
            made = new EmulatedFabric(alone.build(), shared);
            fabric = made;
            controller = fabric.controller(name);
            device = fabric.open(DriveModel.LOCATOR_PREFIX + name);
            layOut(drive);
            done = true;
        } finally {
            if (!done) {
                if (made != null) {
                    made.close();
                }
                shared.close();
            }
        }
    }

    /**
     * Lays out the BARs and turns the doorbells into shared memory. If the CMB is in BAR 0, the
     * doorbells stay registers: a region has one descriptor, and a client passes that of the CMB to
     * the servers of its peers, which must not ring this drive's doorbells.
     */
    private void layOut(DriveModel drive) {
        PciFunction function = fabric.machine().function(device.bdf()).orElseThrow();
        function.bars().forEach(bar -> barBytes.put(bar.index(), bar.sizeBytes()));
        long doorbellBytes = (8L * (drive.ioQueues() + 1)) << drive.doorbellStride();
        long doorbellPages = Bits.roundUp(doorbellBytes, Bits.PAGE_BYTES);
        CmbModel cmb = drive.cmb();
        if (cmb == null || cmb.bar() != 0) {
            SharedBars.File bar0 = shared.make(SharedBars.DOORBELLS + doorbellPages);
            add(0, bar0, SharedBars.DOORBELLS, doorbellPages);
            controller.watchDoorbells(bar0.memory().asSlice(SharedBars.DOORBELLS, doorbellPages));
        }
        if (cmb != null) {
            long window = barBytes.getOrDefault(cmb.bar(), 0L);
            long start = cmb.bar() == 0 ? cmb.offsetBytes() : 0;
            SharedBars.File file = shared.files().getFirst();
            add(cmb.bar(), file, start, window - start);
        }
    }

    private void add(int bar, SharedBars.File file, long offset, long bytes) {
        areas.computeIfAbsent(bar, index -> new ArrayList<>()).add(new Area(file, offset, bytes));
    }

    String name() {
        return name;
    }

    PciDevice device() {
        return device;
    }

    EmulatedController controller() {
        return controller;
    }

    /** Returns the length of a BAR in bytes, 0 if there is no such BAR. */
    long barBytes(int index) {
        return barBytes.getOrDefault(index, 0L);
    }

    /** Returns the parts of a BAR that clients can map. All of them are in one file. */
    List<Area> areas(int index) {
        return areas.getOrDefault(index, List.of());
    }

    FabricModel model() {
        return fabric.model();
    }

    void turn() {
        fabric.clock().turn();
    }

    /**
     * Maps a client's memory for the drive's DMA.
     *
     * @param fd the memory's descriptor, or -1 to reserve the addresses without memory
     */
    void map(int fd, long offset, long busAddress, long bytes) {
        Map.Entry<Long, DmaRange> below = ranges.floorEntry(busAddress);
        Map.Entry<Long, DmaRange> above = ranges.higherEntry(busAddress);
        boolean overlaps =
                (below != null && below.getKey() + below.getValue().bytes > busAddress)
                        || (above != null && busAddress + bytes > above.getKey());
        if (overlaps || ranges.size() == MAX_MAPPINGS) {
            throw Protocol.violation(
                    "The client of " + name,
                    overlaps
                            ? "it maps 0x%x twice".formatted(busAddress)
                            : "it maps more than %d ranges".formatted(MAX_MAPPINGS));
        }
        Mapping mapping = null;
        if (fd >= 0 && !MemoryFile.isMemory(fd)) {
            // an access to such a file can block, and with it every drive of this thread
            throw Protocol.violation(
                    "The client of " + name, "it maps a file that is not in memory");
        }
        if (fd >= 0) {
            mapping = Mapping.of(fd, offset, bytes, "memory of the client of " + name);
            if (!fabric.attachMemory(busAddress, mapping.segment())) {
                mapping.close();
                throw Protocol.violation(
                        "The client of " + name,
                        "it maps 0x%x, where the drive has its own registers"
                                .formatted(busAddress));
            }
        }
        ranges.put(busAddress, new DmaRange(bytes, mapping));
    }

    /** Removes a mapping. Returns false if there is none with exactly this address and length. */
    boolean unmap(long busAddress, long bytes) {
        DmaRange range = ranges.get(busAddress);
        if (range == null || range.bytes != bytes) {
            return false;
        }
        ranges.remove(busAddress);
        if (range.mapping != null) {
            fabric.detachMemory(busAddress);
            range.mapping.close();
        }
        return true;
    }

    void unmapAll() {
        for (Map.Entry<Long, DmaRange> entry : List.copyOf(ranges.entrySet())) {
            unmap(entry.getKey(), entry.getValue().bytes);
        }
    }

    /**
     * Resets the controller, removes the mappings and renews the shared memory, so that nothing of
     * a disconnected client is left.
     *
     * @throws RuntimeException if a step fails; then call this again before the next client
     */
    void forget() {
        all(() -> device.busMaster(false), device::reset, this::unmapAll, shared::renew);
    }

    @Override
    public void close() {
        all(this::unmapAll, fabric::close, shared::close);
    }

    /** Runs every step, even if one before it failed, and throws the first error. */
    private static void all(Runnable... steps) {
        RuntimeException first = null;
        for (Runnable step : steps) {
            try {
                step.run();
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
