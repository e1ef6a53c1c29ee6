package dev.peerlane.binding;

import static dev.peerlane.binding.BindMachine.A;
import static dev.peerlane.binding.BindMachine.ALL;
import static dev.peerlane.binding.BindMachine.B;
import static dev.peerlane.binding.BindMachine.NOTHING;
import static dev.peerlane.binding.BindMachine.SOUND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that another process restores what bind found. Each binder stands for a process of its own.
 */
class OriginsTest {
    @TempDir private Path directory;
    private BindMachine machine;

    @BeforeEach
    void machine() {
        machine = new BindMachine(directory);
    }

    private void bind() {
        machine.binder().apply(machine.binder().bind(List.of(A, B, SOUND), ALL));
        assertThat(machine.driver(A)).isEqualTo("vfio-pci");
    }

    private Path file() {
        return directory.resolve("state/bound/" + A);
    }

    @Test
    void anotherProcessRestoresDriverAndOverride() {
        machine.sysfs.text(A, "driver_override", "nvme\n");
        machine.sysfs.driver(B, null).text(B, "driver_override", "pci-stub\n");
        bind();
        assertThat(file()).hasContent("id 0000:0000\ndriver nvme\noverride nvme");
        assertThat(machine.binder().bound()).containsExactlyInAnyOrder(A, B, SOUND);
        machine.binder().apply(machine.binder().unbind(machine.binder().bound()));
        assertThat(machine.driver(A)).isEqualTo("nvme");
        assertThat(machine.function(A).driverOverride()).isEqualTo("nvme");
        assertThat(machine.driver(B)).isNull();
        assertThat(machine.function(B).driverOverride()).isEqualTo("pci-stub");
        assertThat(machine.driver(SOUND)).isEqualTo("snd_hda_intel");
        assertThat(machine.function(SOUND).driverOverride()).isNull();
        assertThat(machine.binder().bound()).isEmpty();
    }

    @Test
    void anOverrideThatNamesAnotherDriverIsRestoredLast() {
        machine.sysfs.text(A, "driver_override", "other\n");
        bind();
        machine.binder().apply(machine.binder().unbind(List.of(A)));
        assertThat(machine.driver(A)).isEqualTo("nvme");
        assertThat(machine.function(A).driverOverride()).isEqualTo("other");
    }

    @Test
    void aKilledBindIsContinuedWhereItEnded() {
        for (int k = 2; k <= 4; k++) {
            machine = new BindMachine(directory.resolve("at" + k));
            int at = k;
            machine.drivers.watcher =
                    write -> {
                        if (machine.drivers.done.size() == at) {
                            throw new Killed();
                        }
                    };
            BindPlan plan = machine.binder().bind(List.of(A), NOTHING);
            assertThatThrownBy(() -> machine.binder().apply(plan)).isInstanceOf(Killed.class);
            machine.drivers.watcher = write -> {};
            if (k == 3) {
                machine.binder().apply(machine.binder().bind(List.of(A), NOTHING));
                assertThat(machine.driver(A)).isEqualTo("vfio-pci");
            }
            machine.binder().apply(machine.binder().unbind(List.of(A)));
            assertThat(machine.driver(A)).as("killed at %d", k).isEqualTo("nvme");
            assertThat(machine.function(A).driverOverride()).as("killed at %d", k).isNull();
            assertThat(machine.binder().bound()).isEmpty();
        }
    }

    /** An error that no handler catches, as none runs after a kill. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void aFailedUnbindKeepsTheRecords() {
        bind();
        machine.drivers.failAt(6);
        BindPlan back = machine.binder().unbind(List.of(A, B));
        assertThatThrownBy(() -> machine.binder().apply(back))
                .isInstanceOf(PeerlaneException.class);
        assertThat(machine.driver(A)).isEqualTo("vfio-pci");
        assertThat(machine.binder().bound()).contains(A, B);
    }

    @Test
    void aRecordOfAnotherDeviceIsIgnored() throws IOException {
        bind();
        Files.writeString(file(), "id 1234:5678\ndriver snd_hda_intel\n");
        assertThat(machine.binder().bound())
                .as("what to put back where all is put back")
                .containsExactlyInAnyOrder(B, SOUND);
        machine.binder().apply(machine.binder().unbind(List.of(A)));
        assertThat(machine.driver(A)).isEqualTo("nvme");
    }

    @Test
    void aMalformedRecordIsReportedWithItsName() throws IOException {
        bind();
        Files.writeString(file(), "id 0000:0000\ndriver ../../x\n");
        assertThatThrownBy(() -> machine.binder().unbind(List.of(A)))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo("origin-not-kept");
                            assertThat(e.explain())
                                    .contains(
                                            file().toString(), "'../../x'", "Repair or delete it");
                        });
    }

    @Test
    void aFunctionThatCannotBeRecordedIsNotBound() throws IOException {
        Files.writeString(directory.resolve("state"), "in the way");
        BindPlan plan = machine.binder().bind(List.of(A), NOTHING);
        assertThatThrownBy(() -> machine.binder().apply(plan))
                .hasMessageContaining("which records the driver to return to");
        assertThat(machine.drivers.done).isEmpty();
        machine.assertNothingLeft();
    }
}
