package dev.peerlane.vfiouser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.nvme.ControllerOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a server that truncates the file of its doorbells at any time during a copy. */
class ShortenedFileTest {
    private static final long SECOND = 1_000_000_000L;

    @TempDir private Path folder;
    private int planned;
    private int failed;

    @Test
    void copyEndsWithATypedFaultOfTheLostDeviceAndAReceipt() {
        for (int turns = 1; copyIsCutShort(turns); turns += planned == 0 ? 25 : 5) {
            assertThat(turns).isLessThan(1_000_000);
        }
        assertThat(planned).as("copies that had begun").isGreaterThan(10);
        assertThat(failed).isGreaterThan(10);
    }

    /** Truncates the file after some turns of a copy. Returns whether that was before its end. */
    private boolean copyIsCutShort(int turns) {
        Path socket = folder.resolve("cntrl");
        boolean began = false;
        try (SpdkLikeServer server = new SpdkLikeServer(socket)) {
            server.turnsToShorten = turns;
            ControllerOptions options = ControllerOptions.DEFAULTS.withTimeoutNanos(SECOND);
            CopyOptions how =
                    CopyOptions.DEFAULTS
                            .withBuffer(BufferChoice.HOST)
                            .withCommandTimeoutNanos(SECOND);
            try (Session session =
                    Session.of(
                            VfioUserFabric.open(List.of(folder), server.clock, SECOND), options)) {
                String device = session.fabric().locators().getFirst();
                CopyPlan plan =
                        session.plan(
                                Extent.parse(device + "@0+512"),
                                Extent.parse(device + "@1024"),
                                how);
                planned++;
                began = true;
                session.run(plan, new CancelFlag(), Progress.NONE);
                return server.turnsToShorten == 0;
            } catch (CopyException e) {
                failed++;
                assertThat(e.code())
                        .as("turn %d: %s", turns, e)
                        .isIn("controller-gone", "vfio-user-gone", "device-memory-fault");
                assertThat(e.receipt().result()).isEqualTo("failed");
                return true;
            } catch (PeerlaneException e) {
                failed++;
                assertThat(began).as("turn %d: %s", turns, e).isFalse();
                return true;
            }
        } finally {
            socket.toFile().delete();
        }
    }
}
