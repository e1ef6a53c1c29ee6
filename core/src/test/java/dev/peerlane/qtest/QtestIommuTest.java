package dev.peerlane.qtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the IOMMU of a QEMU with a fake: its fault records, and memory for its tables. */
class QtestIommuTest {
    @TempDir private Path folder;
    private FakeQ35 machine;
    private FakeServer server;
    private QtestFabric fabric;

    @BeforeEach
    void attach() throws IOException {
        Path ram = folder.resolve("ram");
        machine = new FakeQ35(ram);
        server = new FakeServer(folder, machine::answer);
        fabric = QtestFabric.attach(server.path(), ram);
    }

    @AfterEach
    void detach() throws IOException {
        fabric.close();
        server.close();
        machine.close();
    }

    @Test
    void whatTheIommuRefusedIsToldOnce() {
        IntelIommu iommu = fabric.iommu().orElseThrow();
        assertThat(iommu.faults().isEmpty()).isTrue();
        long reads = 1L << 62;
        machine.refuses(0, 0x1234_5000L, reads | 6L << 32 | 0x0320);
        machine.refuses(1, 0x9000L, 5L << 32 | 0x0107);
        machine.overflows();
        IntelIommu.FaultLog log = iommu.faults();
        assertThat(log.faults())
                .containsExactly(
                        new IommuFault(new Bdf(0, 3, 4, 0), 0x1234_5000L, Direction.READ, 6),
                        new IommuFault(new Bdf(0, 1, 0, 7), 0x9000L, Direction.WRITE, 5));
        assertThat(log.overflowed()).isTrue();
        assertThat(iommu.faults().isEmpty()).as("the same again").isTrue();
        machine.refuses(1, 0xa000L, 5L << 32 | 0x0107);
        assertThat(iommu.faults().faults())
                .containsExactly(new IommuFault(new Bdf(0, 1, 0, 7), 0xa000L, Direction.WRITE, 5));
    }

    @Test
    void pagesThatCouldNotBeMappedAreFreed() {
        // pages are allocated from 16 MiB on; root, context and page table take one each
        long all = FakeQ35.RAM_BYTES - (16 << 20) - 3 * RamFile.PAGE_BYTES;
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class, () -> fabric.dma().allocate(all).close());
        assertThat(e).as("no page is left for the tables that map it").isNotNull();
        assertThat(e.code()).isEqualTo("no-dma-memory");
        try (DmaBuffer most = fabric.dma().allocate(all - (1 << 20))) {
            assertThat(most.sizeBytes()).isEqualTo(all - (1 << 20));
        }
    }
}
