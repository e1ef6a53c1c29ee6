package dev.peerlane.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory that only some servers of a fabric take is taken back from those. */
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

    private static PeerlaneException refusal(VfioUserFabric fabric) {
        return catchThrowableOfType(PeerlaneException.class, () -> fabric.dma().allocate(4096));
    }

    @Test
    void memoryThatTheLastServerRefusesIsTakenBackFromTheOthers() {
        servers.getLast().mostMappings = 0;
        try (VfioUserFabric fabric = VfioUserFabric.open(sockets, clock, TIMEOUT_NANOS)) {
            PeerlaneException e = refusal(fabric);
            assertThat(e.code()).isEqualTo("vfio-user-refused");
            assertThat(e).hasMessageContaining(sockets.getLast().toString());
            assertThat(mappings()).containsExactly(0, 0, 0);
            servers.getLast().mostMappings = 1;
            try (DmaBuffer buffer = fabric.dma().allocate(4096)) {
                assertThat(buffer.busAddress()).isEqualTo(UserDma.FIRST);
            }
            assertThat(mappings()).containsExactly(1, 1, 1);
        }
    }

    @Test
    void aServerThatDoesNotTakeItBackKeepsNoOtherFromDoingSo() {
        servers.getLast().mostMappings = 0;
        servers.getFirst().tamper =
                (command, answer, length, descriptors) -> {
                    if (command == Protocol.DMA_UNMAP) {
                        answer.set(JAVA_INT_UNALIGNED, 8, Protocol.REPLY | Protocol.ERROR);
                        answer.set(JAVA_INT_UNALIGNED, 12, EINVAL);
                    }
                    return length;
                };
        try (VfioUserFabric fabric = VfioUserFabric.open(sockets, clock, TIMEOUT_NANOS)) {
            PeerlaneException e = refusal(fabric);
            assertThat(e).hasMessageContaining(sockets.getLast().toString());
            assertThat(e.getSuppressed()).hasSize(1);
            assertThat(e.getSuppressed()[0]).hasMessageContaining(sockets.getFirst().toString());
            assertThat(servers.get(1).mappings()).isZero();
        }
    }
}
