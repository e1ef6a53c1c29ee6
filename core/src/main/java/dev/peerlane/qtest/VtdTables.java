package dev.peerlane.qtest;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.PeerlaneException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * The tables of an Intel IOMMU in legacy mode, in the guest's RAM: one root table, one context
 * table that serves every bus, and one second-level page table that serves every function (VT-d
 * 9.1, 9.3, 9.8). Maps pages of 4 KiB, each at its own address. An access to an unmapped page
 * faults.
 *
 * <p>The tables are only written, never read back, because QEMU or the guest could have changed the
 * RAM.
 */
final class VtdTables {
    private static final int PAGE_SHIFT = 12;
    private static final int LEVEL_BITS = 9;
    private static final long READ_WRITE = 3;
    private static final long PRESENT = 1;
    private static final int DOMAIN_ID = 1;
    private static final int TABLE_ENTRIES = 256;
    private static final ValueLayout.OfLong LE_LONG = JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final RamFile ram;
    private final int levels;
    private final long rootTable;
    private final long pageTable;

    /** The lower tables, by level and by the address bits that select them. */
    private final Map<Long, Long> lower = new HashMap<>();

    /**
     * Writes root and context tables and an empty page table.
     *
     * @param levels levels of the page table: 3 for addresses of 39 bits, 4 for 48
     */
    VtdTables(RamFile ram, int levels) {
        this.ram = ram;
        this.levels = levels;
        rootTable = ram.take(RamFile.PAGE_BYTES);
        long contextTable = ram.take(RamFile.PAGE_BYTES);
        pageTable = ram.take(RamFile.PAGE_BYTES);
        int addressWidth = levels - 2;
        MemorySegment root = ram.slice(rootTable, RamFile.PAGE_BYTES);
        MemorySegment context = ram.slice(contextTable, RamFile.PAGE_BYTES);
        for (int i = 0; i < TABLE_ENTRIES; i++) {
            root.set(LE_LONG, i * 16L, contextTable | PRESENT);
            context.set(LE_LONG, i * 16L, pageTable | PRESENT);
            context.set(LE_LONG, i * 16L + 8, ((long) DOMAIN_ID << 8) | addressWidth);
        }
    }

    /** Returns the physical address of the root table. */
    long rootTable() {
        return rootTable;
    }

    /** Returns the first address that the tables can't map. */
    long endAddress() {
        return 1L << (PAGE_SHIFT + LEVEL_BITS * levels);
    }

    /**
     * Maps pages at their own addresses, for reading and writing.
     *
     * @throws PeerlaneException if there is no memory for tables; nothing is mapped then
     */
    void map(long address, long bytes) {
        if (address < 0 || bytes > endAddress() - address) {
            throw PeerlaneException.machine(
                    "iommu-address-width",
                    "address 0x%x and %d bytes exceed the IOMMU's %d bits"
                            .formatted(address, bytes, PAGE_SHIFT + LEVEL_BITS * levels),
                    "Start QEMU with -device intel-iommu,aw-bits=48");
        }
        for (long at = address; at < address + bytes; at = nextLeaf(at)) {
            leafTable(at, true);
        }
        setLeaves(address, bytes, READ_WRITE);
    }

    /** Removes mappings. The caller must invalidate what the IOMMU has cached of them. */
    void unmap(long address, long bytes) {
        setLeaves(address, bytes, 0);
    }

    private void setLeaves(long address, long bytes, long rights) {
        for (long at = address; at < address + bytes; at = nextLeaf(at)) {
            MemorySegment table = leafTable(at, false);
            long end = Math.min(nextLeaf(at), address + bytes);
            for (long page = at; page < end; page += RamFile.PAGE_BYTES) {
                table.set(LE_LONG, slot(page, 1), rights == 0 ? 0 : page | rights);
            }
        }
    }

    private static long nextLeaf(long address) {
        long leafBytes = 1L << (PAGE_SHIFT + LEVEL_BITS);
        return (address + leafBytes) & -leafBytes;
    }

    private MemorySegment leafTable(long address, boolean create) {
        MemorySegment table = ram.slice(pageTable, RamFile.PAGE_BYTES);
        for (int level = levels; level > 1; level--) {
            long key = address >>> shift(level) << LEVEL_BITS | level;
            Long next = lower.get(key);
            if (next == null) {
                if (!create) {
                    throw new IllegalStateException("0x%x is not mapped".formatted(address));
                }
                next = ram.take(RamFile.PAGE_BYTES);
                lower.put(key, next);
                table.set(LE_LONG, slot(address, level), next | READ_WRITE);
            }
            table = ram.slice(next, RamFile.PAGE_BYTES);
        }
        return table;
    }

    private static int shift(int level) {
        return PAGE_SHIFT + LEVEL_BITS * (level - 1);
    }

    private static long slot(long address, int level) {
        return ((address >>> shift(level)) & ((1 << LEVEL_BITS) - 1)) * 8;
    }
}
