package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests copies with failing devices: typed errors that name the block, in bounded time, without
 * hanging.
 */
@Tag("qemu")
class CopyErrorTest {
    private static final int BYTES = 4 << 20;
    private static final long BLOCKS = BYTES / 512;

    private static Qemu machine(Drive source, Drive target) throws IOException {
        Qemu qemu =
                Qemu.machine()
                        .ramMib(64)
                        .drive(source.behindSwitch("sw").cmbMib(2))
                        .drive(target.behindSwitch("sw").cmbMib(2))
                        .start();
        Data.write(qemu.image(source.name()), 0, Data.random(3, BYTES));
        return qemu;
    }

    private static Receipt copy(Session session, CopyOptions how) {
        List<String> locators = session.fabric().locators();
        return session.copy(
                new Extent(locators.get(0), 1, 0L, BLOCKS),
                new Extent(locators.get(1), 1, 0L, null),
                how);
    }

    private static CopyException failure(Session session, CopyOptions how) {
        return catchThrowableOfType(CopyException.class, () -> copy(session, how));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void badBlockOfEitherSideIsNamed(boolean onSource) throws IOException {
        Drive source = Drive.named("source");
        Drive target = Drive.named("target");
        Drive bad = onSource ? source.readError(5000) : target.writeError(5000);
        assertThat(bad).isNotNull();
        try (Qemu qemu = machine(source, target);
                Session session = Session.of(qemu.attach())) {
            CopyException e =
                    failure(session, CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
            Receipt receipt = e.receipt();
            assertThat(receipt.result()).isEqualTo("failed");
            assertThat(receipt.error()).isNotNull();
            Long lba = receipt.error().firstBadLba();
            long chunk = receipt.chunkBytes() / 512;
            assertThat(lba).isNotNull().isBetween(5000 - chunk + 1, 5000L);
            assertThat(receipt.bytesCopied()).isLessThan(BYTES);
            assertThat(e.getMessage()).containsIgnoringCase(onSource ? "read" : "write");
            for (Receipt.Range range : receipt.copied()) {
                byte[] there =
                        Data.read(
                                qemu.image("target"),
                                range.slba() * 512,
                                Math.toIntExact(range.blocks() * 512));
                byte[] wanted =
                        Data.read(
                                qemu.image("source"),
                                range.slba() * 512,
                                Math.toIntExact(range.blocks() * 512));
                assertThat(there).isEqualTo(wanted);
            }
        }
    }

    @Test
    void sessionCopiesOnAfterAFailure() throws IOException {
        try (Qemu qemu = machine(Drive.named("source").readError(5000), Drive.named("target"));
                Session session = Session.of(qemu.attach())) {
            assertThat(failure(session, CopyOptions.DEFAULTS)).isNotNull();
            List<String> locators = session.fabric().locators();
            Receipt receipt =
                    session.copy(
                            new Extent(locators.get(0), 1, 0L, 4000L),
                            new Extent(locators.get(1), 1, 0L, null),
                            CopyOptions.DEFAULTS);
            assertThat(receipt.result()).isEqualTo("ok");
            assertThat(Data.read(qemu.image("target"), 0, 4000 * 512))
                    .isEqualTo(Data.read(qemu.image("source"), 0, 4000 * 512));
        }
    }

    @Test
    void cancelledCopyEndsAndLeavesTheSessionUsable() throws IOException {
        try (Qemu qemu = machine(Drive.named("source"), Drive.named("target"));
                Session session = Session.of(qemu.attach())) {
            List<String> locators = session.fabric().locators();
            CopyPlan plan =
                    session.plan(
                            new Extent(locators.get(0), 1, 0L, BLOCKS),
                            new Extent(locators.get(1), 1, 0L, null),
                            CopyOptions.DEFAULTS.withSlots(4096, 2));
            CancelFlag cancel = new CancelFlag();
            Progress stop = (phase, done, total) -> cancel.cancel();
            CopyException e =
                    catchThrowableOfType(
                            CopyException.class, () -> session.run(plan, cancel, stop));
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.INTERRUPTED);
            assertThat(e.receipt().bytesCopied()).isLessThan(BYTES);
            assertThat(copy(session, CopyOptions.DEFAULTS).result()).isEqualTo("ok");
        }
    }

    @Test
    void deathOfTheMachineAmidACopyIsATypedErrorAndEverythingCloses() throws IOException {
        try (Qemu qemu = machine(Drive.named("source"), Drive.named("target"))) {
            Session session = Session.of(qemu.attach());
            List<String> locators = session.fabric().locators();
            CopyPlan plan =
                    session.plan(
                            new Extent(locators.get(0), 1, 0L, BLOCKS),
                            new Extent(locators.get(1), 1, 0L, null),
                            CopyOptions.DEFAULTS);
            Progress die = (phase, done, total) -> qemu.kill();
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () -> session.run(plan, new CancelFlag(), die));
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
            assertThat(e.code()).isEqualTo("qtest-closed");
            // it is unknown now what the devices may still access, and closing the ports reports
            // that
            assertThat(e.getSuppressed())
                    .singleElement()
                    .isInstanceOfSatisfying(
                            PeerlaneException.class,
                            c -> assertThat(c.code()).isEqualTo("qtest-closed"));
            session.close();
            session.close();
        }
    }

    @Test
    void slowDriveIsWaitedFor() throws IOException {
        try (Qemu qemu = machine(Drive.named("source").iops(2000), Drive.named("target"));
                Session session = Session.of(qemu.attach())) {
            CopyOptions how = CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET);
            assertThat(copy(session, how).result()).isEqualTo("ok");
            assertThat(Data.read(qemu.image("target"), 0, BYTES)).isEqualTo(Data.random(3, BYTES));
        }
    }

    @Test
    void commandsThatTakeTooLongEndTheCopyInTime() throws IOException {
        // With two commands per second, the second one is late. QEMU answers nothing while it waits
        // for the medium to delete a queue, so few commands are in flight. It hangs for good if one
        // waits for its only bounce buffer, which peers' CMBs need, so the data goes to host
        // memory.
        try (Qemu qemu = machine(Drive.named("source").iops(2), Drive.named("target"));
                Session session = Session.of(qemu.attach())) {
            CopyOptions how =
                    CopyOptions.DEFAULTS
                            .withBuffer(BufferChoice.HOST)
                            .withSlots(4096, 2)
                            .withCommandTimeoutNanos(100_000_000L);
            CopyException e = failure(session, how);
            assertThat(e.category()).isEqualTo(PeerlaneException.Category.IO);
            assertThat(e.code()).contains("timeout");
        }
    }
}
