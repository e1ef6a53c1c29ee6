package dev.peerlane.qtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.ForeignCalls;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that a thread that does not own a fabric sends QEMU nothing and takes none of its answers.
 */
class QtestThreadsTest {
    @TempDir private Path folder;

    @Test
    void everyCallByAnotherThreadIsRefusedAndSendsNothing() throws Exception {
        Path ram = folder.resolve("ram");
        try (FakeQ35 machine = new FakeQ35(ram);
                FakeServer server = new FakeServer(folder, machine::answer);
                QtestFabric fabric = QtestFabric.attach(server.path(), ram);
                Arena arena = Arena.ofShared()) {
            PciDevice device = fabric.open(FakeQ35.LOCATOR);
            device.busMaster(true);
            Bar bar = device.bar(0);
            Doorbell doorbell = bar.doorbell(0x1008);
            ConfigSpace config = device.config();
            DmaBuffer buffer = fabric.dma().allocate(4096);
            PeerMapping peer = fabric.dma().mapPeer(device, bar, 0, 4096);
            IntelIommu iommu = fabric.iommu().orElseThrow();
            MemorySegment words = arena.allocate(64, 8);

            ForeignCalls calls = new ForeignCalls();
            calls.add("open", () -> fabric.open(FakeQ35.LOCATOR))
                    .add("open of one that is not there", () -> fabric.open("qemu:00:05.0"))
                    .add("machine", fabric::machine)
                    .add("turn", fabric.clock()::turn)
                    .add("faults", iommu::faults)
                    .add("close of the fabric", fabric::close)
                    .add("bar", () -> device.bar(0))
                    .add("bus master", () -> device.busMaster(false))
                    .add("reset", device::reset)
                    .add("close of the device", device::close)
                    .add("allocate", () -> fabric.dma().allocate(4096))
                    .add("allocate nothing", () -> fabric.dma().allocate(0))
                    .add("close of a buffer", buffer::close)
                    .add("map", () -> fabric.dma().mapPeer(device, bar, 4096, 4096))
                    .add("close of a mapping", peer::close)
                    .add("config load", () -> config.load32(ConfigSpace.COMMAND))
                    .add("config store", () -> config.store32(ConfigSpace.BAR0, 0))
                    .add("config store of 2", () -> config.store16(ConfigSpace.COMMAND, 0))
                    .add("load", () -> bar.load32(0x1c))
                    .add("start of a load", () -> bar.startLoad32(0x1c))
                    .add("load of 8", () -> bar.load64(0))
                    .add("store", () -> bar.store32(0x14, 1))
                    .add("store of 8", () -> bar.store64(0x28, 1))
                    .add("bulk load", () -> bar.load(0, words))
                    .add("bulk store", () -> bar.store(0, words))
                    .add("fill with a byte", () -> bar.fill(0, 64, 0x01010101))
                    .add("fill with a word", () -> bar.fill(0, 64, 0x01020304))
                    .add("doorbell", () -> doorbell.ring(1));
            String asked = "readl 0x%x".formatted(FakeQ35.CONFIG);
            List<String> before = List.copyOf(server.received());
            calls.assertRefused(() -> {
                int identity = config.load32(0); // no other answer came before
                doorbell.ring(7); // the answer to this write is in flight during the call
                return identity;
            });
            assertThat(config.load32(0)).isEqualTo(0x0010_1b36);
            new ForeignCalls()
                    .add("turn with nothing to do", fabric.clock()::turn)
                    .assertRefused(() -> config.load32(0));

            assertThat(server.received().stream().skip(before.size()).distinct())
                    .containsExactly(asked, "writel 0x%x 0x7".formatted(bar.pciAddress() + 0x1008));
            assertThat(config.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                    .isNotZero();
            peer.close();
            fabric.dma().mapPeer(device, bar, 0, 4096).close();
            buffer.close();
            device.reset();
            assertThat(iommu.faults().isEmpty()).isTrue();
            device.close();
            fabric.open(FakeQ35.LOCATOR).close();
        }
    }
}
