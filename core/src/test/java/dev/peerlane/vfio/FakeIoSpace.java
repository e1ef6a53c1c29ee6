package dev.peerlane.vfio;

import dev.peerlane.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The mappings of a container or an iommufd, as the kernel keeps them. */
final class FakeIoSpace {
    /** Passes mappings on to a test that emulates the devices. */
    interface Wiring {
        Wiring NONE =
                new Wiring() {
                    @Override
                    public Runnable host(long iova, MemorySegment memory) {
                        return () -> {};
                    }

                    @Override
                    public Runnable bar(
                            long iova, FakeDevice device, int bar, long offset, long bytes) {
                        return () -> {};
                    }
                };

        Runnable host(long iova, MemorySegment memory);

        Runnable bar(long iova, FakeDevice device, int bar, long offset, long bytes);
    }

    /** A mapping of this process: anonymous memory, or a piece of a BAR. */
    record ProcessMapping(MemorySegment memory, FakeDevice device, int bar, long offset) {
        long bytes() {
            return memory.byteSize();
        }
    }

    static final class IoMapping {
        final long iova;
        final long bytes;
        final FakeDevice device;
        final int bar;
        Runnable undo;

        IoMapping(long iova, long bytes, FakeDevice device, int bar, Runnable undo) {
            this.iova = iova;
            this.bytes = bytes;
            this.device = device;
            this.bar = bar;
            this.undo = undo;
        }
    }

    final TreeMap<Long, IoMapping> mappings = new TreeMap<>();
    final Wiring wiring;
    List<Span> ranges;
    long pinnedLimit;

    FakeIoSpace(Wiring wiring, List<Span> ranges, long pinnedLimit) {
        this.wiring = wiring;
        this.ranges = ranges;
        this.pinnedLimit = pinnedLimit;
    }

    long pinned() {
        return mappings.values().stream()
                .filter(m -> m.device == null)
                .mapToLong(m -> m.bytes)
                .sum();
    }

    private long check(long iova, long bytes) {
        if (bytes <= 0 || ((iova | bytes) & 4095) != 0) {
            return -Errno.EINVAL;
        }
        if (ranges.stream().noneMatch(r -> r.holds(iova, iova + bytes - 1))) {
            return -Errno.EINVAL;
        }
        Map.Entry<Long, IoMapping> below = mappings.lowerEntry(iova + bytes);
        return below != null && below.getKey() + below.getValue().bytes > iova ? -Errno.EEXIST : 0;
    }

    long map(
            java.util.NavigableMap<Long, ProcessMapping> process,
            long address,
            long iova,
            long bytes,
            boolean bars) {
        long refusal = check(iova, bytes);
        if (refusal != 0) {
            return refusal;
        }
        Map.Entry<Long, ProcessMapping> entry = process.floorEntry(address);
        if (entry == null || address + bytes > entry.getKey() + entry.getValue().bytes()) {
            return -Errno.EFAULT;
        }
        ProcessMapping mapping = entry.getValue();
        long offset = address - entry.getKey();
        if (mapping.device() == null) {
            if (pinned() + bytes > pinnedLimit) {
                return -Errno.ENOMEM;
            }
            Runnable undo = wiring.host(iova, mapping.memory().asSlice(offset, bytes));
            mappings.put(iova, new IoMapping(iova, bytes, null, -1, undo));
            return 0;
        }
        if (!bars || !mapping.device().decodes()) {
            return -Errno.EFAULT;
        }
        return mapBar(mapping.device(), mapping.bar(), mapping.offset() + offset, iova, bytes);
    }

    long mapBar(FakeDevice device, int bar, long offset, long iova, long bytes) {
        long refusal = check(iova, bytes);
        if (refusal != 0) {
            return refusal;
        }
        Runnable undo = wiring.bar(iova, device, bar, offset, bytes);
        mappings.put(iova, new IoMapping(iova, bytes, device, bar, undo));
        return 0;
    }

    /**
     * Unmaps the mappings in a range. Returns the number of bytes, or -EINVAL if a mapping would be
     * split.
     */
    long unmap(long iova, long bytes) {
        long done = 0;
        for (IoMapping each : new ArrayList<>(mappings.values())) {
            boolean touches = each.iova < iova + bytes && iova < each.iova + each.bytes;
            boolean inside = each.iova >= iova && each.iova + each.bytes <= iova + bytes;
            if (touches && !inside) {
                return -Errno.EINVAL;
            }
            if (inside) {
                each.undo.run();
                mappings.remove(each.iova);
                done += each.bytes;
            }
        }
        return done;
    }

    /** Revokes the mappings of a device's BARs after a reset. Their addresses stay in use. */
    void revoke(FakeDevice device) {
        for (IoMapping each : mappings.values()) {
            if (each.device == device) {
                each.undo.run();
                each.undo = () -> {};
            }
        }
    }

    void clear() {
        mappings.values().forEach(m -> m.undo.run());
        mappings.clear();
    }
}
