package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.Reg;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests registers, and the life of a controller from enable to shutdown. */
class LifeTest {
    private static final int RDY = 1;
    private static final int CFS = 2;

    @Test
    void capabilitiesSayWhatTheDriveIs() {
        DriveModel.Builder drive = drive("a").maxQueueEntries(64).doorbellStride(2);
        try (EmulatedFabric fabric = one(drive);
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            Cap cap = driver.cap();
            assertThat(cap.maxQueueEntries()).isEqualTo(64);
            assertThat(cap.doorbellStrideBytes()).isEqualTo(16);
            assertThat(cap.cqr()).isTrue();
            assertThat(cap.minPageBytes()).isEqualTo(4096);
            assertThat(cap.css()).isEqualTo(Cap.CSS_NVM);
            assertThat(cap.cmbs()).isTrue();
            assertThat(cap.timeoutMillis()).isPositive();
            assertThat(driver.bar.load32(Reg.VS)).isEqualTo(Vs.of(1, 4, 0).raw());
            assertThat(driver.bar.load32(Reg.CAP + 4)).isEqualTo((int) (cap.raw() >>> 32));
        }
    }

    @Test
    void otherDoorbellStridesMoveTheDoorbells() {
        try (EmulatedFabric fabric = one(drive("a").doorbellStride(3));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            driver.admin.post(6, 0, driver.allocate(4096).busAddress(), 0, Cns.CONTROLLER);
            driver.bar.doorbell(Reg.sqTailDoorbell(0, 3)).ring(driver.admin.tail);
            driver.turns(20);
            assertThat(driver.admin.poll()).isNotNull();
            driver.bar.store32(Reg.sqTailDoorbell(0, 3) + 4, 1);
            assertThat(fabric.controller("a").violations()).hasSize(1);
        }
    }

    @Test
    void queueBasesTakeOneAccessOrTwo() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.bar.store32(Reg.ASQ, 0x1234_5fff);
            driver.bar.store32(Reg.ASQ + 4, 0x7);
            assertThat(driver.bar.load64(Reg.ASQ)).isEqualTo(0x7_1234_5000L);
            driver.bar.store64(Reg.ACQ, 0x9_8765_4000L);
            assertThat(driver.bar.load32(Reg.ACQ)).isEqualTo(0x8765_4000);
            assertThat(driver.bar.load32(Reg.ACQ + 4)).isEqualTo(9);
            driver.bar.store32(Reg.INTMS, 6);
            driver.bar.store32(Reg.INTMC, 2);
            assertThat(driver.bar.load32(Reg.INTMS)).isEqualTo(4);
            assertThat(fabric.controller("a").violations()).isEmpty();
        }
    }

    @Test
    void readyFollowsEnableAfterSomeTurnsOnly() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.programAdmin();
            driver.bar.store32(Reg.CC, MiniDriver.cc());
            assertThat(driver.csts()).isZero();
            assertThat(driver.awaitCsts(RDY, RDY)).isTrue();
            driver.bar.store32(Reg.CC, 0);
            assertThat(driver.csts() & RDY).isEqualTo(RDY);
            assertThat(driver.awaitCsts(RDY, 0)).isTrue();
        }
    }

    @Test
    void enablingWithNonsenseIsFatalAndAResetHeals() {
        int[] wrong = {
            new Cc(MiniDriver.cc()).withMps(5).raw(),
            new Cc(MiniDriver.cc()).withAms(1).raw(),
            new Cc(MiniDriver.cc()).withCss(Cc.CSS_ALL).raw(),
            new Cc(MiniDriver.cc()).withIosqes(7).raw(),
            new Cc(MiniDriver.cc()).withIocqes(3).raw()
        };
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.programAdmin();
            for (int cc : wrong) {
                driver.bar.store32(Reg.CC, cc);
                assertThat(driver.awaitCsts(CFS, CFS)).as("CC %x", cc).isTrue();
                driver.bar.store32(Reg.CC, 0);
                assertThat(driver.awaitCsts(CFS | RDY, 0)).isTrue();
            }
            driver.enable();
            assertThat(driver.csts()).isEqualTo(RDY);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x1f, 0x1f_0000})
    void adminQueuesOfOneEntryAreFatal(int aqa) {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.programAdmin();
            driver.bar.store32(Reg.AQA, aqa);
            driver.bar.store32(Reg.CC, MiniDriver.cc());
            assertThat(driver.awaitCsts(CFS, CFS)).isTrue();
        }
    }

    @Test
    void adminQueueOutOfReachIsFatal() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.programAdmin();
            driver.bar.store64(Reg.ASQ, 0x5000);
            driver.bar.store32(Reg.CC, MiniDriver.cc());
            assertThat(driver.awaitCsts(RDY, RDY)).isTrue();
            driver.bar.store32(Reg.DOORBELLS, 1);
            assertThat(driver.awaitCsts(CFS, CFS)).isTrue();
            assertThat(fabric.traffic().orElseThrow().total().faulted()).isEqualTo(64);
        }
    }

    @Test
    void resetForgetsQueuesAndCommands() {
        try (EmulatedFabric fabric = one(drive("a").latencyNanos(1_000_000));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            var queue = driver.ioQueue(1, 8);
            var data = driver.allocate(4096);
            queue.post(NvmOpcode.READ, 1, data.busAddress(), 0, MiniDriver.lba(0, 1));
            queue.ring();
            driver.turns(2);
            var controller = fabric.controller("a");
            assertThat(controller.statistics().inFlight()).isEqualTo(1);
            driver.bar.store32(Reg.CC, 0);
            assertThat(driver.awaitCsts(RDY, 0)).isTrue();
            assertThat(controller.statistics().inFlight()).isZero();
            queue.ring();
            assertThat(controller.violations()).hasSize(1);
            driver.turns(200);
            assertThat(queue.poll()).isNull();
            // AQA, ASQ and ACQ survive; the host restarts its queues
            assertThat(driver.bar.load64(Reg.ASQ)).isEqualTo(driver.admin.sqBus);
        }
    }

    @Test
    void normalShutdownEndsInComplete() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            driver.bar.store32(Reg.CC, new Cc(MiniDriver.cc()).withShn(Cc.SHN_NORMAL).raw());
            assertThat(new Csts(driver.csts()).shst()).isEqualTo(Csts.SHST_OCCURRING);
            int complete = Csts.SHST_COMPLETE << 2;
            assertThat(driver.awaitCsts(0xc, complete)).isTrue();
            assertThat(driver.csts() & RDY).isEqualTo(RDY);
            driver.bar.store32(Reg.CC, 0);
            assertThat(driver.awaitCsts(0xd, 0)).isTrue();
        }
    }

    @Test
    void shutdownOfADisabledControllerNeverLooksReady() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            driver.bar.store32(Reg.CC, new Cc(0).withShn(Cc.SHN_ABRUPT).raw());
            assertThat(driver.awaitCsts(0xd, Csts.SHST_COMPLETE << 2)).isTrue();
        }
    }

    @Test
    void functionLevelResetClearsEverythingAndKeepsThePlace() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            long address = driver.device.bar(2).pciAddress();
            driver.bar.store64(Reg.CMBMSC, address | 3);
            driver.device.reset();
            assertThat(driver.csts()).isZero();
            assertThat(driver.bar.load32(Reg.CC)).isZero();
            assertThat(driver.bar.load64(Reg.CMBMSC)).isZero();
            assertThat(driver.bar.load64(Reg.ASQ)).isZero();
            assertThat(driver.device.bar(2).pciAddress()).isEqualTo(address);
            driver.admin.head = 0;
            driver.admin.tail = 0;
            driver.enable();
            assertThat(driver.csts()).isEqualTo(RDY);
        }
    }

    @Test
    void bareFunctionLevelResetLosesCommandAndBars() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            ConfigSpace config = driver.device.config();
            int express = config.capability(ConfigSpace.CAP_PCI_EXPRESS).orElseThrow();
            config.store16(express + 8, config.load16(express + 8) | 0x8000);
            assertThat(config.load16(express + 8) & 0x8000).isZero();
            assertThat(config.load16(ConfigSpace.COMMAND)).isZero();
            assertThat(driver.bar.pciAddress()).isZero();
            assertThat(driver.bar.load32(Reg.VS)).isEqualTo(-1);
            config.store16(ConfigSpace.COMMAND, ConfigSpace.COMMAND_MEMORY);
            assertThat(driver.bar.load32(Reg.VS)).isNotEqualTo(-1);
        }
    }

    @Test
    void withoutBusMasteringNothingMoves() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            driver.device.busMaster(false);
            driver.admin.post(6, 0, driver.allocate(4096).busAddress(), 0, Cns.CONTROLLER);
            driver.admin.ring();
            driver.turns(100);
            assertThat(driver.admin.poll()).isNull();
            driver.device.busMaster(true);
            driver.turns(10);
            assertThat(driver.admin.poll()).isNotNull();
        }
    }

    @Test
    void withoutMemoryDecodingRegistersReadOnes() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = new MiniDriver(fabric, "a")) {
            ConfigSpace config = driver.device.config();
            int command = config.load16(ConfigSpace.COMMAND);
            config.store16(ConfigSpace.COMMAND, command & ~ConfigSpace.COMMAND_MEMORY);
            assertThat(driver.csts()).isEqualTo(-1);
            assertThat(driver.device.bar(2).load64(0)).isEqualTo(-1);
            config.store16(ConfigSpace.COMMAND, command);
            assertThat(driver.csts()).isZero();
        }
    }

    @Test
    void reservedRegistersAreReportedAndHarmless() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            driver.bar.store32(Reg.CAP, 1);
            driver.bar.store64(Reg.CMBLOC, 1);
            driver.bar.store64(Reg.ASQ, 0x1000);
            assertThat(fabric.controller("a").violations()).hasSizeGreaterThanOrEqualTo(4);
            assertThat(driver.csts()).isEqualTo(RDY);
            assertThat(driver.bar.load32(Reg.BPINFO)).isZero();
        }
    }

    @Test
    void suddenResetsHappenInTheRequestedTurnAndWaitForNoCommand() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            int aqa = driver.bar.load32(Reg.AQA);
            fabric.arm(Fault.at(Fault.Kind.SUDDEN_DISABLE, "a").withOccasion(3));
            driver.turns(2);
            assertThat(new Cc(driver.bar.load32(Reg.CC)).en()).isTrue();
            driver.turns(1);
            assertThat(new Cc(driver.bar.load32(Reg.CC)).en()).isFalse();
            driver.turns(20);
            assertThat(driver.bar.load32(Reg.CSTS)).isZero();
            assertThat(driver.bar.load32(Reg.AQA)).as("a Controller Reset").isEqualTo(aqa);
            fabric.arm(Fault.at(Fault.Kind.SUDDEN_RESET, "a"));
            driver.turns(1);
            assertThat(driver.bar.load32(Reg.AQA)).as("a Function Level Reset").isZero();
            fabric.arm(Fault.at(Fault.Kind.SUDDEN_REMOVAL, "a"));
            driver.turns(1);
            assertThat(driver.bar.load32(Reg.CSTS)).isEqualTo(-1);
            assertThat(fabric.controller("a").violations()).isEmpty();
        }
    }

    /** Resets the controller, and does all that a host does after a reset. */
    private static void restart(MiniDriver driver) {
        driver.bar.store32(Reg.CC, 0);
        assertThat(driver.awaitCsts(RDY, 0)).isTrue();
        driver.admin.head = 0;
        driver.admin.tail = 0;
        driver.admin.phase = 1;
        driver.admin.cq.fill((byte) 0);
        driver.enable();
    }

    @Test
    void aResetPutsEveryFeatureBackToItsDefault() {
        int[] fids = {
            Feature.ARBITRATION,
            Feature.TEMPERATURE_THRESHOLD,
            Feature.VOLATILE_WRITE_CACHE,
            Feature.NUMBER_OF_QUEUES,
            Feature.ASYNC_EVENT_CONFIG
        };
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            for (int fid : fids) {
                int set = AdminCommand.setFeaturesCdw10(fid, false);
                int value = fid == Feature.VOLATILE_WRITE_CACHE ? 0 : 1;
                driver.admin.run(AdminOpcode.SET_FEATURES, 0, 0, 0, set, value);
                assertThat(feature(driver, fid, AdminCommand.SELECT_CURRENT))
                        .as("%s, set", Feature.name(fid))
                        .isNotEqualTo(feature(driver, fid, AdminCommand.SELECT_DEFAULT));
            }
            restart(driver);
            for (int fid : fids) {
                assertThat(feature(driver, fid, AdminCommand.SELECT_CURRENT))
                        .as("%s, after a reset", Feature.name(fid))
                        .isEqualTo(feature(driver, fid, AdminCommand.SELECT_DEFAULT));
            }
        }
    }

    private static int feature(MiniDriver driver, int fid, int select) {
        int cdw10 = AdminCommand.getFeaturesCdw10(fid, select);
        var completion = driver.admin.run(AdminOpcode.GET_FEATURES, 0, 0, 0, cdw10);
        assertThat(completion.status()).isZero();
        return completion.dw0();
    }

    @Test
    void afterAResetAnEventOfAKindThatWasReportedIsReportedAnew() {
        try (EmulatedFabric fabric = one(drive("a"));
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            for (int life = 0; life < 2; life++) {
                driver.admin.post(AdminOpcode.ASYNC_EVENT_REQUEST, 0, 0, 0);
                driver.admin.ring();
                driver.bar.store32(Reg.sqTailDoorbell(9, 0), 1);
                AsyncEvent event = new AsyncEvent(driver.admin.next().dw0());
                assertThat(event.info()).isEqualTo(AsyncEvent.ERROR_INVALID_DOORBELL);
                restart(driver); // no one read the log page that the event names
            }
        }
    }
}
