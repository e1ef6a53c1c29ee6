package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.linux.Errno;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the kernel's mode without an IOMMU, which has to be requested explicitly. */
class NoIommuTest {
    @TempDir private Path directory;
    private FakeMachine machine;
    private FakeKernel kernel;

    /** A page map with physical addresses that are the virtual ones with some bits cleared. */
    private static final class PageMap extends FakeNodes.OtherFile {
        private long flags = 1L << 63;

        PageMap() {
            super("pagemap");
        }

        static long physical(long address) {
            return address & 0xf_ffff_f000L;
        }

        @Override
        long pread(MemorySegment target, long offset) {
            long frame = physical(offset / 8 * 4096) / 4096;
            target.set(JAVA_LONG, 0, frame | flags);
            return 8;
        }
    }

    private final PageMap pageMap = new PageMap();

    @BeforeEach
    void machine() {
        start();
    }

    private void start() {
        machine = new FakeMachine(directory);
        kernel = machine.kernel;
        kernel.noIommu = true;
        kernel.hugePages = 2;
        kernel.otherFiles.put("/proc/self/pagemap", pageMap);
        for (int group : new int[] {11, 12}) {
            machine.sysfs.file("kernel/iommu_groups/" + group + "/name", "vfio-noiommu\n");
        }
        machine.options = machine.options.withUnsafeNoIommuMode();
    }

    private void live() {
        try (VfioFabric fabric = machine.open()) {
            assertThat(fabric.api()).contains("no IOMMU");
            DmaBuffer buffer = fabric.dma().allocate(8192);
            assertThat(buffer.busAddress()).isEqualTo(PageMap.physical(buffer.address()));
            DmaBuffer next = fabric.dma().allocate(4096);
            assertThat(next.busAddress()).isEqualTo(buffer.busAddress() + 8192);
            VfioDevice device = fabric.openDevice("0000:02:00.0");
            assertThat(fabric.dma().mapPeer(device, device.bar(2), 0, 4096).busAddress())
                    .isEqualTo(FakeMachine.B_CMB);
        }
    }

    @Test
    void memoryIsHugePagesAtTheirPhysicalAddresses() {
        live();
        assertThat(kernel.leaks()).isEmpty();
        assertThat(kernel.violations).isEmpty();
    }

    @Test
    void memoryThatIsNotOneHugePageIsRefused() {
        try (VfioFabric fabric = machine.open()) {
            assertRefused(() -> fabric.dma().allocate(4 << 20), "no-huge-page");
            kernel.hugePages = 0;
            assertRefused(() -> fabric.dma().allocate(4096), "no-huge-page");
            kernel.hugePages = 1;
            pageMap.flags = 0;
            assertRefused(() -> fabric.dma().allocate(4096), "no-page-map");
        }
        assertThat(kernel.leaks()).isEmpty();
    }

    @Test
    void devicesWithAndWithoutAnIommuCantBeMixed() {
        machine.sysfs.file("kernel/iommu_groups/11/name", "DMAR\n");
        assertRefused(machine::open, "iommu-mixed");
    }

    private static void assertRefused(Runnable call, String code) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        PeerlaneException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void nothingStaysOpenOrMappedWhicheverCallFails() {
        Set<String> failed = new TreeSet<>();
        int k = 1;
        for (; k < 200; k++) {
            start();
            kernel.failAt(k, Errno.EPERM);
            try {
                live();
            } catch (PeerlaneException e) {
                assertThat(e.explain()).isNotBlank();
            }
            int excused = "munmap".equals(kernel.failedCall) ? 1 : 0;
            assertThat(kernel.leaks()).as("call %d: %s", k, kernel.failedSite).hasSize(excused);
            if (kernel.failedSite == null) {
                assertThat(failed).isEqualTo(kernel.sites);
                break;
            }
            failed.add(kernel.failedSite);
        }
        assertThat(k).isLessThan(200);
        Set<String> reached = Calls.reached(failed);
        assertThat(reached).containsAll(Calls.writtenIn("vfio", "NoIommuSpace.java"::equals));
    }
}
