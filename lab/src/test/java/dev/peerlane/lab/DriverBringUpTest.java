package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.CmbField;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.qtest.QtestFabric;
import dev.peerlane.spec.wire.Pmrcap;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests that the driver brings up and shuts down QEMU's controllers. */
@Tag("qemu")
class DriverBringUpTest {
    private static final String WITH_CMB = "qemu:01:00.0";
    private static final String WITHOUT = "qemu:02:00.0";
    private static final String WITH_PMR = "qemu:03:00.0";

    @AutoClose private static Qemu qemu;
    private QtestFabric fabric;

    @BeforeAll
    static void start() {
        qemu =
                Qemu.machine()
                        .ramMib(64)
                        .drive(Drive.named("ssd0").cmbMib(64))
                        .drive(Drive.named("ssd1").blockBytes(4096).maxTransferExponent(3))
                        .drive(Drive.named("ssd2").cmbMib(4).pmrMib(8))
                        .start();
    }

    @BeforeEach
    void attach() {
        fabric = qemu.attach();
    }

    @AfterEach
    void detach() {
        fabric.close();
    }

    private Controller open(String locator) {
        return Controller.open(fabric, locator, ControllerOptions.DEFAULTS);
    }

    private static void closeCleanly(Controller controller) {
        controller.close();
        assertThat(controller.closeProblem()).isEmpty();
    }

    @Test
    void registersAndIdentityAreQemus() {
        try (Controller c = open(WITH_CMB)) {
            assertThat(c.vs()).hasToString("1.4.0");
            assertThat(c.cap().mqesZ()).isEqualTo(2047);
            assertThat(c.cap().minPageBytes()).isEqualTo(4096);
            assertThat(c.cap().cmbs()).isTrue();
            assertThat(c.identity().sn()).isEqualTo("ssd0");
            assertThat(c.identity().mn()).isEqualTo("QEMU NVMe Ctrl");
            assertThat(c.identity().vid()).isEqualTo(0x1b36);
            assertThat(c.identity().mdts()).isEqualTo(7);
            assertThat(c.identity().hasVolatileWriteCache()).isTrue();
            assertThat(c.identity().oncs().compare()).isTrue();
            assertThat(c.maxTransferBytes()).isEqualTo(512 << 10);
            assertThat(c.queuePairs()).isEqualTo(ControllerOptions.DEFAULTS.ioQueuePairs());
            assertThat(c.admin().smart().criticalWarning()).isZero();
            assertThat(c.admin().errors(4)).isEmpty();
            closeCleanly(c);
        }
    }

    @Test
    void cmbIsFoundWithQemusRegisters() {
        try (Controller c = open(WITH_CMB)) {
            assertThat(CmbField.raw(c.cmbFields(), "CMBLOC")).isEqualTo(0x62);
            assertThat(CmbField.raw(c.cmbFields(), "CMBSZ")).isEqualTo(0x4021d);
            ControllerMemoryBuffer cmb = c.requireCmb();
            assertThat(cmb.sizeBytes()).isEqualTo(64L << 20);
            assertThat(cmb.barIndex()).isEqualTo(2);
            assertThat(cmb.barOffset()).isZero();
            assertThat(cmb.ownerMayRead()).isTrue();
            assertThat(cmb.ownerMayWrite()).isTrue();
            assertThat(cmb.isEnabled()).isFalse();
            closeCleanly(c);
        }
    }

    @Test
    void absentCmbIsSaidAndTransferLimitIsTheDrives() {
        try (Controller c = open(WITHOUT)) {
            assertThat(c.cmb()).isEmpty();
            assertThat(c.cmbAbsence().orElseThrow()).contains("CAP.CMBS 0");
            assertThatExceptionOfType(PeerlaneException.class).isThrownBy(c::requireCmb);
            assertThat(c.maxTransferBytes()).isEqualTo(32 << 10);
            closeCleanly(c);
        }
    }

    @Test
    void persistentMemoryRegionIsShownBesideTheCmb() {
        try (Controller c = open(WITH_PMR)) {
            assertThat(c.cap().pmrs()).isTrue();
            assertThat(new Pmrcap((int) CmbField.raw(c.cmbFields(), "PMRCAP")).bir()).isEqualTo(4);
            assertThat(c.requireCmb().sizeBytes()).isEqualTo(4L << 20);
            closeCleanly(c);
        }
    }

    @Test
    void namespaceHasTheImagesSize() {
        try (Controller c = open(WITH_CMB);
                Controller four = open(WITHOUT)) {
            assertThat(c.activeNamespaces()).containsExactly(1);
            Namespace n = c.namespace(1);
            assertThat(n.name()).isEqualTo(WITH_CMB + "/n1");
            assertThat(n.blockBytes()).isEqualTo(512);
            assertThat(n.sizeBytes()).isEqualTo(16L << 20);
            assertThat(n.readOnlyReason()).isNull();
            assertThat(four.namespace(1).blockBytes()).isEqualTo(4096);
            assertThat(four.namespace(1).blockCount()).isEqualTo(4096);
            assertThatExceptionOfType(PeerlaneException.class)
                    .isThrownBy(() -> c.namespace(2))
                    .satisfies(e ->
                            assertThat(e.category()).isEqualTo(PeerlaneException.Category.REQUEST));
        }
    }

    @Test
    void everyQueuePairCanBeTakenAndGivenBack() {
        try (Controller c = open(WITH_CMB)) {
            Namespace n = c.namespace(1);
            for (int round = 0; round < 2; round++) {
                List<NvmeBlockPort> ports = new ArrayList<>();
                for (int i = 0; i < c.queuePairs(); i++) {
                    ports.add(n.port(32));
                }
                assertThatExceptionOfType(PeerlaneException.class)
                        .isThrownBy(() -> n.port(32))
                        .satisfies(e -> assertThat(e.code()).isEqualTo("no-queue-pair"));
                assertThat(ports.getLast().limits().depth()).isEqualTo(32);
                ports.forEach(NvmeBlockPort::close);
            }
            closeCleanly(c);
        }
    }

    @Test
    void resetGivesAWorkingControllerAgain() {
        try (Controller c = open(WITH_CMB);
                DmaBuffer buffer = fabric.dma().allocate(4096)) {
            c.namespace(1).read(buffer, 0, 0, 8);
            c.reset();
            c.namespace(1).read(buffer, 0, 0, 8);
            assertThat(c.identity().sn()).isEqualTo("ssd0");
            closeCleanly(c);
        }
    }

    @Test
    void closingStopsTheControllerAndGivesAllMemoryBack() {
        for (int i = 0; i < 3; i++) {
            Controller c = open(WITH_CMB);
            ConfigSpace config = c.device().config();
            c.requireCmb().enable(fabric.dma());
            c.namespace(1).flush();
            closeCleanly(c);
            assertThat(config.load16(ConfigSpace.COMMAND) & ConfigSpace.COMMAND_BUS_MASTER)
                    .isZero();
            // all RAM except the first 16 MiB is free in one piece, so nothing is left allocated
            fabric.dma().allocate(48L << 20).close();
        }
    }

    @Test
    void controllerThatAClientLeftRunningIsBroughtUp() {
        Controller left = open(WITH_CMB);
        left.requireCmb().enable(fabric.dma());
        NvmeBlockPort port = left.namespace(1).port(8);
        assertThat(port.inFlight()).isZero();
        fabric.close(); // leaves queues, window and controller as they are
        fabric = qemu.attach();
        try (Controller c = open(WITH_CMB);
                DmaBuffer buffer = fabric.dma().allocate(4096)) {
            c.namespace(1).read(buffer, 0, 0, 8);
            c.requireCmb().enable(fabric.dma());
            closeCleanly(c);
        }
    }
}
