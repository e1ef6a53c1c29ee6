package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.ForeignCalls;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.hal.PendingLoad;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that a call from a thread that does not own the fabric sends nothing and receives no reply.
 */
class VfioUserThreadsTest {
    private static final long TIMEOUT_NANOS = 3_000_000_000L;
    private static final int VERSION = 0x0001_0400;
    private static final long AREA = Protocol.HEADER_BYTES + Protocol.REGION_INFO_BYTES + 16;
    private static final long MAPPABLE = 0x2000;
    private static final long MAPPED = MAPPABLE + 0x10;

    @TempDir private Path folder;

    /**
     * Starts a server with a mappable page in its BAR besides the doorbells, which peers can't map.
     */
    private SpdkLikeServer serve() {
        SpdkLikeServer server = new SpdkLikeServer(folder.resolve("cntrl"));
        server.tamper =
                (command, answer, length, descriptors) -> {
                    if (command == Protocol.DEVICE_GET_REGION_INFO && !descriptors.isEmpty()) {
                        answer.set(JAVA_LONG_UNALIGNED, AREA, MAPPABLE);
                    }
                    return length;
                };
        return server;
    }

    @Test
    void everyCallOfAnotherThreadIsRefusedAndReachesNoServer() throws Exception {
        try (SpdkLikeServer server = serve();
                VfioUserFabric fabric =
                        VfioUserFabric.open(List.of(folder), server.clock, TIMEOUT_NANOS);
                Arena arena = Arena.ofShared()) {
            String locator = fabric.locators().getFirst();
            PciDevice device = fabric.open(locator);
            device.busMaster(true);
            Bar bar = device.bar(0);
            ConfigSpace config = device.config();
            Doorbell unmapped = bar.doorbell(0x14);
            DmaDomain own = fabric.dma().forDevice(device);
            DmaBuffer shared = fabric.dma().allocate(4096);
            DmaBuffer mine = own.allocate(4096);
            shared.admit(device.bdf());
            PeerMapping peer = fabric.dma().mapPeer(device, bar, MAPPABLE, 4096);
            MemorySegment words = arena.allocate(64, 8);
            PendingLoad late = bar.startLoad32(8);

            ForeignCalls calls = new ForeignCalls();
            calls.add("open", () -> fabric.open(locator))
                    .add("open of a missing device", () -> fabric.open("vfio-user:/none"))
                    .add("machine", fabric::machine)
                    .add("close of the fabric", fabric::close)
                    .add("bus master", () -> device.busMaster(false))
                    .add("reset", device::reset)
                    .add("close of the device", device::close)
                    .add("look for an answer", late::isDone)
                    .add("allocate", () -> fabric.dma().allocate(4096))
                    .add("allocate for one device", () -> own.allocate(4096))
                    .add("memory of one device", () -> fabric.dma().forDevice(device))
                    .add("memory of one device, by the other", () -> own.forDevice(device))
                    .add("admission to a buffer", () -> shared.admit(device.bdf()))
                    .add("admission to a mapping", () -> peer.admit(device.bdf()))
                    .add("close of a buffer", shared::close)
                    .add("close of a device's buffer", mine::close)
                    .add("map", () -> fabric.dma().mapPeer(device, bar, MAPPABLE, 4096))
                    .add("close of a mapping", peer::close)
                    .add("config load", () -> config.load32(ConfigSpace.COMMAND))
                    .add("config store", () -> config.store32(ConfigSpace.BAR0, 0))
                    .add("config store of 2", () -> config.store16(ConfigSpace.COMMAND, 0))
                    .add("doorbell by message", () -> unmapped.ring(1));
            for (long at : new long[] {0x20, MAPPED}) { // by message, and mapped
                String where = " at 0x%x".formatted(at);
                calls.add("load" + where, () -> bar.load32(at))
                        .add("start of a load" + where, () -> bar.startLoad32(at))
                        .add("load of 8" + where, () -> bar.load64(at))
                        .add("store" + where, () -> bar.store32(at, 1))
                        .add("store of 8" + where, () -> bar.store64(at, 1))
                        .add("bulk load" + where, () -> bar.load(at, words))
                        .add("bulk store" + where, () -> bar.store(at, words))
                        .add("fill" + where, () -> bar.fill(at, 64, 1))
                        .add("doorbell" + where, () -> bar.doorbell(at));
            }
            calls.assertRefused(() -> {
                for (int i = 0; i < 100; i++) { // ten looks at the server's socket
                    server.clock.turn();
                }
                return List.of(List.copyOf(server.asked), bar.load64(MAPPED), server.mappings());
            });

            assertThat(late.isDone()).isTrue();
            assertThat(late.value()).isEqualTo(VERSION);
            assertThat(bar.load32(8)).isEqualTo(VERSION);
            assertThat(config.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                    .isNotZero();
            int mappings = server.mappings();
            mine.close();
            shared.close();
            peer.close();
            own.allocate(4096).close();
            assertThat(server.mappings()).isEqualTo(mappings - 1);
            device.reset();
            device.close();
            fabric.open(locator).close();
        }
    }
}
