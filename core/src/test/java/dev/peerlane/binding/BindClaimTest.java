package dev.peerlane.binding;

import static dev.peerlane.binding.BindMachine.A;
import static dev.peerlane.binding.BindMachine.ALL;
import static dev.peerlane.binding.BindMachine.B;
import static dev.peerlane.binding.BindMachine.NOTHING;
import static dev.peerlane.binding.BindMachine.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.linux.Errno;
import dev.peerlane.vfio.Calls;
import dev.peerlane.vfio.FakeKernel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that nothing can claim a drive between the checks and the moment it leaves its driver. */
class BindClaimTest {
    @TempDir private Path directory;
    private BindMachine machine;

    @BeforeEach
    void machine() {
        machine = new BindMachine(directory);
    }

    @Test
    void theNamespaceIsHeldUntilTheDriveHasLeftItsDriverAndNotLonger() {
        List<String> seen = new ArrayList<>();
        machine.drivers.watcher =
                write ->
                        seen.add(
                                write.replaceAll(".*/", "")
                                        + " "
                                        + machine.kernel.exclusive.values());
        machine.binder().apply(machine.binder().bind(List.of(A), NOTHING));
        assertThat(seen)
                .containsExactly(
                        "load vfio-pci [/dev/nvme0n1]",
                        "driver_override=vfio-pci [/dev/nvme0n1]",
                        "unbind=0000:01:00.0 [/dev/nvme0n1]",
                        "drivers_probe=0000:01:00.0 []");
        machine.assertNothingLeft();
    }

    @Test
    void aDriveThatComesIntoUseAfterThePlanIsRefused() {
        BindPlan plan = machine.binder().bind(List.of(A), ALL);
        machine.proc("self/mountinfo", "30 22 259:10 / /late rw - xfs /dev/nvme0n1 rw");
        assertRefused(
                () -> machine.binder().apply(plan), "device-in-use", "nvme0n1 is mounted on /late");
        assertThat(machine.drivers.done).isEmpty();
        machine.assertNothingLeft();
    }

    @Test
    void missingPermissionToOpenTheDeviceIsReported() {
        machine.node("nvme0n1").exclusiveRefusal = -Errno.EACCES;
        assertThatThrownBy(() -> machine.binder().bind(List.of(A), ALL))
                .isInstanceOfSatisfying(
                        PeerlaneException.class,
                        e -> assertThat(e.explain()).contains("/dev/nvme0n1", "Run as root"));
        machine.assertNothingLeft();
    }

    @Test
    void nothingStaysOpenOrHalfDoneWhicheverCallFails() {
        FakeKernel kernel = machine.kernel;
        machine.node("nvme0").namespace[FakeNvmeNode.RESCAP] = 1;
        kernel.add(A, 21);
        Set<String> failed = new TreeSet<>();
        int k = 1;
        for (; k < 100; k++) {
            kernel.failAt(k, Errno.EIO);
            try {
                machine.binder().apply(machine.binder().bind(List.of(A), NOTHING));
                assertThat(machine.driver(A)).isEqualTo("vfio-pci");
                machine.binder().unbind(List.of(A));
            } catch (PeerlaneException e) {
                assertThat(e.code())
                        .isIn(
                                "close-failed",
                                "device-not-claimed",
                                "device-shared",
                                "device-in-use");
            }
            assertThat(kernel.leaks()).as("call %d: %s", k, kernel.failedSite).isEmpty();
            assertThat(kernel.exclusive).as("call %d: %s", k, kernel.failedSite).isEmpty();
            if (kernel.failedSite == null) {
                break;
            }
            failed.add(kernel.failedSite);
            kernel.failAt(0, 0);
            if ("vfio-pci".equals(machine.driver(A))) {
                machine.binder().apply(machine.binder().unbind(List.of(A)));
            }
            assertThat(machine.driver(A)).isEqualTo("nvme");
            assertThat(machine.function(A).driverOverride()).isNull();
        }
        assertThat(k).isLessThan(100);
        assertThat(failed).as("sites that failed").isEqualTo(kernel.sites);
        Set<String> reached = Calls.reached(failed);
        reached.removeIf(r -> r.startsWith("KernelException.java:"));
        assertThat(Calls.writtenIn("binding", file -> true)).isEqualTo(reached);
        assertThat(machine.driver(B)).isEqualTo("nvme");
    }
}
