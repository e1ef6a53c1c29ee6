package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests memory that only some servers of a fabric map or unmap. */
class HalfMadeTest {
    private static final int EINVAL = 22;
    private static final long TIMEOUT_NANOS = 1_000_000_000L;

    @TempDir private Path folder;
    private final List<Path> sockets = new ArrayList<>();
    private final List<SpdkLikeServer> servers = new ArrayList<>();
    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return servers.getFirst().clock.nanoTime();
                }

                @Override
                public void turn() {
                    servers.forEach(server -> server.clock.turn());
                }
            };

    @BeforeEach
    void serve() {
        for (String name : new String[] {"a", "b", "c"}) {
            sockets.add(folder.resolve(name));
            servers.add(new SpdkLikeServer(sockets.getLast()));
        }
    }

    @AfterEach
    void stop() {
        servers.forEach(SpdkLikeServer::close);
    }

    private List<Integer> mappings() {
        return servers.stream().map(SpdkLikeServer::mappings).toList();
    }

    private static List<Bdf> devices(VfioUserFabric fabric) {
        return fabric.machine().functions().stream().map(PciFunction::bdf).toList();
    }

    private static PeerlaneException refusal(ThrowingCallable call) {
        return catchThrowableOfType(PeerlaneException.class, call);
    }

    @Test
    void memoryThatOneServerRefusesStaysMappedInTheOthersUntilItIsClosed() {
        servers.getLast().mostMappings = 0;
        try (VfioUserFabric fabric = VfioUserFabric.open(sockets, clock, TIMEOUT_NANOS)) {
            List<Bdf> devices = devices(fabric);
            DmaBuffer buffer = fabric.dma().allocate(4096);
            assertThat(buffer.busAddress()).isEqualTo(BusAddresses.FIRST);
            assertThat(mappings()).containsExactly(0, 0, 0);
            buffer.admit(devices.get(0));
            buffer.admit(devices.get(0));
            buffer.admit(devices.get(1));
            PeerlaneException e = refusal(() -> buffer.admit(devices.get(2)));
            assertThat(e.code()).isEqualTo("vfio-user-refused");
            assertThat(e).hasMessageContaining(sockets.getLast().toString());
            assertThat(mappings()).containsExactly(1, 1, 0);
            servers.getLast().mostMappings = 1;
            buffer.admit(devices.get(2));
            assertThat(mappings()).containsExactly(1, 1, 1);
            buffer.close();
            buffer.close();
            assertThat(mappings()).containsExactly(0, 0, 0);
        }
    }

    @Test
    void aServerThatFailsToUnmapDoesNotKeepOthersFromUnmapping() {
        servers.getFirst().tamper =
                (command, answer, length, descriptors) -> {
                    if (command == Protocol.DMA_UNMAP) {
                        answer.set(JAVA_INT_UNALIGNED, 8, Protocol.REPLY | Protocol.ERROR);
                        answer.set(JAVA_INT_UNALIGNED, 12, EINVAL);
                    }
                    return length;
                };
        try (VfioUserFabric fabric = VfioUserFabric.open(sockets, clock, TIMEOUT_NANOS)) {
            DmaBuffer buffer = fabric.dma().allocate(4096);
            devices(fabric).forEach(buffer::admit);
            PeerlaneException e = refusal(buffer::close);
            assertThat(e).hasMessageContaining(sockets.getFirst().toString());
            assertThat(servers.get(1).mappings()).isZero();
            assertThat(servers.get(2).mappings()).isZero();
        }
    }

    @Test
    void memoryOfOneDeviceIsRefusedForAnotherBeforeItsServerIsAsked() {
        try (VfioUserFabric fabric = VfioUserFabric.open(sockets, clock, TIMEOUT_NANOS);
                PciDevice a = fabric.open(fabric.locators().get(0))) {
            List<Bdf> devices = devices(fabric);
            DmaBuffer own = fabric.dma().forDevice(a).allocate(4096);
            own.admit(a.bdf());
            PeerlaneException e = refusal(() -> own.admit(devices.get(1)));
            assertThat(e.code()).isEqualTo("memory-of-another-device");
            assertThat(e).hasMessageContaining(fabric.locators().get(0));
            assertThat(e).hasMessageContaining(fabric.locators().get(1));
            assertThat(mappings()).containsExactly(1, 0, 0);
            e = refusal(() -> own.admit(Bdf.parse("77:00.0")));
            assertThat(e.code()).isEqualTo("foreign-device");
        }
    }

    /** Freed addresses are reused, and addresses in use never are. */
    @Test
    void addressesAreNeverShared() {
        long seed = 240611;
        SplittableRandom random = new SplittableRandom(seed);
        BusAddresses addresses = new BusAddresses();
        TreeMap<Long, Long> live = new TreeMap<>();
        for (int i = 0; i < 10_000; i++) {
            if (live.size() > 3 || (!live.isEmpty() && random.nextInt(3) == 0)) {
                long at = (long) live.keySet().toArray()[random.nextInt(live.size())];
                live.remove(at);
                addresses.give(at);
                continue;
            }
            long bytes = (1L + random.nextInt(1 << 13)) << 22;
            long at = addresses.take(bytes);
            Map.Entry<Long, Long> below = live.lowerEntry(at + bytes);
            assertThat(below == null || below.getValue() <= at)
                    .as("seed %d, step %d: apart", seed, i)
                    .isTrue();
            assertThat(at).isBetween(BusAddresses.FIRST, BusAddresses.LIMIT - bytes);
            live.put(at, at + bytes);
        }
    }
}
