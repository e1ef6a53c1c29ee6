package dev.peerlane.copy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.EndpointProvider;
import dev.peerlane.Endpoints;
import dev.peerlane.Extent;
import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.OpenRequest;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Endpoint;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.copy.Receipt;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.FabricTraits;
import dev.peerlane.pci.Machine;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Tests a backend without NVMe controllers, as the kernel's block devices will be. */
class EndpointsWithoutControllersTest {
    private static final int MEDIUM = 1 << 20;
    private static final String SOURCE = "/fake/source";
    private static final String TARGET = "/fake/target";

    private final FakeWorld world = new FakeWorld(7);
    private final FakePort source = new FakePort(world, FakeWorld.SOURCE, 512, MEDIUM, 64 << 10);
    private final FakePort target = new FakePort(world, FakeWorld.TARGET, 512, MEDIUM, 64 << 10);
    private final FakeMemory memory = new FakeMemory(TARGET, 512 << 10);
    private boolean targetIsThere = true;
    private int closed;

    EndpointsWithoutControllersTest() {
        new SplittableRandom(3).nextBytes(source.medium);
    }

    /** A provider of two devices of a kind that no other provider opens. */
    private final class Backend implements EndpointProvider {
        @Override
        public boolean opens(OpenRequest request) {
            return request.kind() == Locator.Kind.KERNEL;
        }

        @Override
        public Endpoints open(OpenRequest request) {
            return new Devices();
        }
    }

    private final class Devices extends Endpoints {
        @Override
        public String kind() {
            return "fake";
        }

        @Override
        public List<String> locators() {
            return List.of(SOURCE, TARGET);
        }

        @Override
        public Machine machine() {
            return world.machine();
        }

        @Override
        public FabricTraits traits() {
            return FabricTraits.LENT;
        }

        @Override
        public Endpoint endpoint(Extent extent, int depth) {
            if (extent.device().equals(SOURCE)) {
                return new Endpoint(SOURCE, FakeWorld.SOURCE, "S", "M", 1, source);
            }
            if (!targetIsThere) {
                throw PeerlaneException.machine("gone", TARGET + " is gone", "Plug it in");
            }
            return new Endpoint(TARGET, FakeWorld.TARGET, "T", "M", 1, target);
        }

        @Override
        public BufferCandidate memory(String locator) {
            if (!locator.equals(TARGET)) {
                throw PeerlaneException.machine("no-memory", locator + " has none", "Take another");
            }
            return new BufferCandidate(TARGET, FakeWorld.TARGET, memory);
        }

        @Override
        public Clock clock() {
            return world.clock;
        }

        @Override
        public HostMemory hostMemory() {
            return new HostMemory(world.dma());
        }

        @Override
        public OptionalLong hostDataBytes() {
            return OptionalLong.empty();
        }

        @Override
        public void close() {
            closed++;
        }
    }

    private Session session() {
        return Session.of(
                Fabrics.installed()
                        .asking(new Backend())
                        .open(null, List.of(Locator.parse(SOURCE), Locator.parse(TARGET))));
    }

    @Test
    void aCopyNeedsPortsAndMemoriesAndNoController() {
        try (Session session = session()) {
            Receipt receipt =
                    session.copy(
                            Extent.of(SOURCE),
                            Extent.of(TARGET),
                            CopyOptions.DEFAULTS.withOverwrite(true).withSeed(1));
            assertThat(receipt.result()).isEqualTo("ok");
            assertThat(receipt.buffer()).isNotNull();
            assertThat(receipt.hostDataBytes()).isNull();
        }
        assertThat(target.medium).isEqualTo(source.medium);
        assertThat(closed).isEqualTo(1);
    }

    @Test
    void askingForAControllerFailsWhereThereIsNone() {
        try (Session session = session()) {
            PeerlaneException e =
                    catchThrowableOfType(PeerlaneException.class, () -> session.controller(SOURCE));
            assertThat(e.code()).isEqualTo("no-controller");
            assertThat(e).hasMessageContaining(SOURCE).hasMessageContaining("fake");
        }
    }

    @Test
    void whereTheTargetCannotBeOpenedTheSourcesPortIsClosed() {
        targetIsThere = false;
        try (Session session = session()) {
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () ->
                                    session.plan(
                                            Extent.of(SOURCE),
                                            Extent.of(TARGET),
                                            CopyOptions.DEFAULTS.withOverwrite(true)));
            assertThat(e.code()).isEqualTo("gone");
            assertThat(source.log).contains("close");
        }
    }

    @Test
    void whereOnePortOfAPlanDoesNotCloseTheOtherOneDoes() {
        try (Session session = session()) {
            CopyPlan plan =
                    session.plan(
                            Extent.of(SOURCE),
                            Extent.of(TARGET),
                            CopyOptions.DEFAULTS.withOverwrite(true));
            source.failsToClose = true;
            assertThatThrownBy(() -> session.drop(plan)).hasMessage("does not close");
            assertThat(target.log).contains("close");
        }
        assertThat(source.log).as("closed once").containsOnlyOnce("close");
    }
}
