package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.linux.Errno;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that nothing stays open or mapped if the k-th system call fails, for k = 1, 2, 3 …. */
class VfioSweepTest {
    private static final int MAX_CALLS = 400;

    /** The interface through which the fabric opens devices. */
    enum Way {
        CONTAINER,
        IOMMUFD,
        COMPATIBILITY_LAYER
    }

    @TempDir private Path directory;

    private FakeMachine machine(Way way) {
        FakeMachine machine = new FakeMachine(directory.resolve(way.name()));
        machine.kernel.hugePages = 1;
        machine.a.sparse.put(0, List.of(new Span(0, 0xfff), new Span(0x3000, 0x3fff)));
        switch (way) {
            case CONTAINER -> {}
            case IOMMUFD -> {
                machine.withIommufd();
                machine.options = machine.options.withApi(VfioOptions.Api.IOMMUFD);
            }
            case COMPATIBILITY_LAYER -> {
                machine.withIommufd();
                machine.kernel.compatibility = true;
            }
        }
        return machine;
    }

    /** Opens, uses and closes a fabric with every kind of call. */
    private static void live(FakeMachine machine) {
        try (VfioFabric fabric = machine.open()) {
            VfioDevice a = fabric.openDevice("0000:01:00.0");
            VfioDevice b = fabric.openDevice("0000:02:00.0");
            Bar registers = a.bar(0);
            registers.store32(0x1000, registers.load32(0x1000));
            a.busMaster(true);
            DmaBuffer small = fabric.dma().allocate(4096);
            DmaBuffer large = fabric.dma().allocate(2 << 20);
            PeerMapping first = fabric.dma().mapPeer(b, b.bar(2), 0, 65536);
            PeerMapping kept = fabric.dma().mapPeer(b, b.bar(2), 65536, 4096);
            Interrupts interrupts = a.interrupts(2);
            machine.kernel.fire(machine.a, 1);
            interrupts.await(1, 1_000_000);
            b.reset();
            first.close();
            interrupts.close();
            large.close();
            b.close();
            kept.close();
            fabric.openDevice("0000:02:00.0");
            small.close();
        }
    }

    private static String sweep(FakeMachine machine, int k, int errno) {
        machine.kernel.failAt(k, errno);
        String thrown = "";
        try {
            live(machine);
        } catch (PeerlaneException e) {
            thrown = e.code();
            assertThat(e.explain()).as("call %d", k).isNotBlank();
        }
        return thrown;
    }

    @ParameterizedTest
    @EnumSource
    void nothingStaysOpenOrMappedWhicheverCallFails(Way way) {
        Set<String> failed = new TreeSet<>();
        Set<String> seen = new TreeSet<>();
        int k = 1;
        for (; k < MAX_CALLS; k++) {
            FakeMachine machine = machine(way);
            String code = sweep(machine, k, Errno.EIO);
            FakeKernel kernel = machine.kernel;
            if (kernel.failedSite == null) {
                assertThat(code).isEmpty();
                seen.addAll(kernel.sites);
                kernel.end();
                break;
            }
            failed.add(kernel.failedSite);
            String call = kernel.failedCall;
            // a failed munmap unavoidably leaves its own memory mapped
            int excused = call.equals("munmap") ? 1 : 0;
            assertThat(kernel.leaks()).as("call %d: %s", k, kernel.failedSite).hasSize(excused);
            assertThat(kernel.violations).as("call %d: %s", k, kernel.failedSite).isEmpty();
            boolean tolerated =
                    call.equals("mmap huge") // ordinary pages do as well
                            || call.equals("IOMMU_VFIO_IOAS") // then it counts as a real container
                            || call.equals("pread") // like a bus on which no device answers
                            || call.equals("pwrite");
            if (!tolerated) {
                assertThat(code).as("call %d: %s", k, kernel.failedSite).isNotEmpty();
            }
            kernel.end();
        }
        assertThat(k).as("calls until one run went through").isLessThan(MAX_CALLS);
        assertThat(failed).as("call sites that failed, of those that were seen").isEqualTo(seen);
    }

    @Test
    void everyCallOfTheSourcesIsAmongTheSitesThatFailed() throws Exception {
        Set<String> seen = new TreeSet<>();
        for (Way way : Way.values()) {
            FakeMachine machine = machine(way);
            live(machine);
            seen.addAll(machine.kernel.sites);
            machine.kernel.end();
        }
        Set<String> written = Calls.writtenIn("vfio", f -> !f.equals("NoIommuSpace.java"));
        Set<String> reached = Calls.reached(seen);
        reached.removeIf(r -> r.startsWith("KernelException.java:")); // shared by all closes
        assertThat(written).as("calls in the sources").isEqualTo(reached);
    }
}
