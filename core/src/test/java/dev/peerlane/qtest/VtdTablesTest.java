package dev.peerlane.qtest;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Walks the tables of the IOMMU as the specification says that hardware does (VT-d 3.4, 3.7). */
class VtdTablesTest {
    private static final ValueLayout.OfLong LE_LONG = JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir private Path directory;

    private RamFile ram() throws IOException {
        Path path = directory.resolve("ram");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(32 << 20);
        }
        return RamFile.open(path);
    }

    private static long at(RamFile ram, long address) {
        return ram.slice(address, 8).get(LE_LONG, 0);
    }

    /** Returns the leaf entry for a requester and an address, or 0. */
    private static long walk(RamFile ram, VtdTables tables, int bus, int devfn, long address) {
        long root = at(ram, tables.rootTable() + bus * 16L);
        assertThat(root & 0xfff).isEqualTo(1);
        long context = (root & -4096) + devfn * 16L;
        assertThat(at(ram, context) & 0xfff).isEqualTo(1);
        long high = at(ram, context + 8);
        int levels = (int) (high & 7) + 2;
        assertThat(high >>> 8).as("domain").isEqualTo(1);
        long table = at(ram, context) & -4096;
        for (int level = levels; level >= 1; level--) {
            long index = (address >>> (12 + 9 * (level - 1))) & 0x1ff;
            long entry = at(ram, table + index * 8);
            if ((entry & 3) == 0) {
                return 0;
            }
            if (level == 1) {
                return entry;
            }
            table = entry & -4096;
        }
        throw new AssertionError("unreachable");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 4})
    void mappedPagesKeepTheirAddressForEveryRequester(int levels) throws IOException {
        try (RamFile ram = ram()) {
            VtdTables tables = new VtdTables(ram, levels);
            long start = 0x8_001f_e000L; // the second page is the last one in its leaf table
            tables.map(start, 4 * 4096);
            for (long page = start; page < start + 4 * 4096; page += 4096) {
                assertThat(walk(ram, tables, 0, 0, page)).isEqualTo(page | 3);
                assertThat(walk(ram, tables, 255, 255, page + 0xabc)).isEqualTo(page | 3);
            }
            assertThat(walk(ram, tables, 3, 0, start - 4096)).isZero();
            assertThat(walk(ram, tables, 3, 0, start + 4 * 4096)).isZero();
            assertThat(walk(ram, tables, 3, 0, 0)).isZero();
        }
    }

    @Test
    void unmappingRemovesItsPagesAndNoOthers() throws IOException {
        try (RamFile ram = ram()) {
            VtdTables tables = new VtdTables(ram, 3);
            tables.map(0x20_0000 - 4096, 3 * 4096);
            tables.unmap(0x20_0000 - 4096, 2 * 4096);
            assertThat(walk(ram, tables, 1, 0, 0x20_0000 - 4096)).isZero();
            assertThat(walk(ram, tables, 1, 0, 0x20_0000)).isZero();
            assertThat(walk(ram, tables, 1, 0, 0x20_1000)).isEqualTo(0x20_1003);
        }
    }

    @Test
    void addressesPastTheWidthAreRefused() throws IOException {
        try (RamFile ram = ram()) {
            VtdTables tables = new VtdTables(ram, 3);
            tables.map((1L << 39) - 4096, 4096);
            for (long address : new long[] {1L << 39, (1L << 39) - 4096, -4096}) {
                assertThatExceptionOfType(PeerlaneException.class)
                        .isThrownBy(() -> tables.map(address, 8192))
                        .satisfies(e -> assertThat(e.code()).isEqualTo("iommu-address-width"))
                        .satisfies(e -> assertThat(e.remedy()).contains("aw-bits=48"));
            }
        }
    }

    @Test
    void lackOfMemoryForTablesMapsNothing() throws IOException {
        try (RamFile ram = ram()) {
            VtdTables tables = new VtdTables(ram, 3);
            long left = (16L << 20) - 3 * 4096;
            // leaves room for two tables: the middle one and the first leaf
            ram.take(left - 2 * 4096);
            assertThatExceptionOfType(PeerlaneException.class)
                    .isThrownBy(() -> tables.map(0x20_0000 - 4096, 8192))
                    .satisfies(e -> assertThat(e.code()).isEqualTo("no-dma-memory"));
            assertThat(walk(ram, tables, 1, 0, 0x20_0000 - 4096)).isZero();
        }
    }

    @Test
    void guestWritesToTheTablesAreNeverFollowed() throws IOException {
        try (RamFile ram = ram()) {
            VtdTables tables = new VtdTables(ram, 4);
            tables.map(0x8_0000_0000L, 4096);
            for (long word : new long[] {-1, 0, 0x000f_ffff_ffff_f003L}) {
                for (long at = tables.rootTable(); at < tables.rootTable() + 6 * 4096; at += 8) {
                    ram.slice(at, 8).set(LE_LONG, 0, word);
                }
                tables.map(0x8_0000_1000L, 4096);
                tables.unmap(0x8_0000_0000L, 8192);
                tables.map(0x8_0000_0000L, 4096);
            }
        }
    }
}
