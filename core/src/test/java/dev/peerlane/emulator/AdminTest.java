package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.AsyncEvent;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.ErrorLogEntry;
import dev.peerlane.spec.Feature;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.LogPage;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.SmartLog;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.NamespaceDescriptors;
import dev.peerlane.spec.wire.Reg;
import dev.peerlane.spec.wire.Sqe;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the admin commands, above all their refusals. */
class AdminTest {
    /** AERL plus one. */
    private static final int EVENT_REQUESTS = 4;

    private EmulatedFabric fabric;
    private MiniDriver driver;
    private DmaBuffer page;

    @BeforeEach
    void bringUp() {
        fabric = one(drive("a").namespace(NamespaceModel.memory(MIB, 4096)).ioQueues(4));
        driver = MiniDriver.up(fabric, "a");
        page = driver.allocate(8192);
    }

    @AfterEach
    void tearDown() {
        driver.close();
        fabric.close();
    }

    private Completion admin(int opcode, int nsid, int... cdw10) {
        return driver.admin.run(opcode, nsid, page.busAddress(), 0, cdw10);
    }

    private static void assertCode(Completion completion, int code) {
        assertThat(Status.describe(completion.code())).isEqualTo(Status.describe(code));
    }

    @Test
    void controllerIsIdentified() {
        assertCode(driver.identify(Cns.CONTROLLER, 0, page.busAddress()), Status.SUCCESS);
        IdentifyController id = new IdentifyController(page.segment());
        assertThat(id.mn()).isEqualTo("Peerlane Emulated NVMe");
        assertThat(IdentifyController.NN.read(page.segment())).isEqualTo(2);
        assertThat(IdentifyController.SQES.read(page.segment())).isEqualTo(0x66);
        assertThat(IdentifyController.CQES.read(page.segment())).isEqualTo(0x44);
        assertThat(id.subnqn()).startsWith("nqn.2014-08.org.nvmexpress:uuid:");
    }

    @Test
    void namespacesAreListedAndIdentified() {
        assertCode(driver.identify(Cns.ACTIVE_NAMESPACES, 0, page.busAddress()), 0);
        assertThat(ints(3)).containsExactly(1, 2, 0);
        assertCode(driver.identify(Cns.ACTIVE_NAMESPACES, 1, page.busAddress()), 0);
        assertThat(ints(2)).containsExactly(2, 0);
        assertCode(
                driver.identify(Cns.ACTIVE_NAMESPACES, -1, page.busAddress()),
                Status.INVALID_NAMESPACE);
        assertCode(driver.identify(Cns.NAMESPACE, 2, page.busAddress()), 0);
        IdentifyNamespace ns = new IdentifyNamespace(page.segment());
        assertThat(ns.nsze()).isEqualTo(256);
        assertThat(ns.format().dataBytes()).isEqualTo(4096);
        assertThat(ns.nguid()).doesNotMatch("0*");
        String nguid = ns.nguid();
        assertCode(driver.identify(Cns.NAMESPACE_DESCRIPTORS, 2, page.busAddress()), 0);
        NamespaceDescriptors names = new NamespaceDescriptors(page.segment());
        assertThat(names.nguid()).contains(nguid);
        assertThat(names.csi()).isEmpty();
    }

    @Test
    void unknownNamespacesAndPagesAreRefused() {
        for (int nsid : new int[] {0, 3, -1}) {
            assertCode(
                    driver.identify(Cns.NAMESPACE, nsid, page.busAddress()),
                    Status.INVALID_NAMESPACE);
        }
        assertCode(driver.identify(0x77, 1, page.busAddress()), Status.INVALID_FIELD);
        assertCode(driver.identify(Cns.COMMAND_SETS, 0, page.busAddress()), Status.INVALID_FIELD);
        Completion refused = driver.identify(Cns.NAMESPACE, 9, page.busAddress());
        assertThat(Status.doNotRetry(refused.status())).isTrue();
        assertThat(Status.more(refused.status())).isTrue();
    }

    @Test
    void unsupportedCommandsAreInvalidOpcodes() {
        int[] opcodes = {
            AdminOpcode.FORMAT_NVM, AdminOpcode.FIRMWARE_COMMIT, AdminOpcode.SANITIZE, 0x7f, 0xff
        };
        for (int opcode : opcodes) {
            assertCode(admin(opcode, 0), Status.INVALID_OPCODE);
        }
    }

    @Test
    void sglsAndFusedCommandsAreRefused() {
        driver.admin.postRaw(
                Sqe.cdw0(AdminOpcode.IDENTIFY, 0, Sqe.PSDT_SGL, 0), 90, 0, 0, 0, Cns.CONTROLLER);
        driver.admin.postRaw(
                Sqe.cdw0(AdminOpcode.IDENTIFY, Sqe.FUSE_FIRST, 0, 0), 91, 0, 0, 0, Cns.CONTROLLER);
        driver.admin.ring();
        assertCode(driver.admin.next(), Status.INVALID_FIELD);
        assertCode(driver.admin.next(), Status.INVALID_FIELD);
    }

    @Test
    void completionQueuesAreRefusedForEveryReason() {
        long at = page.busAddress();
        assertCode(driver.createCq(0, 8, at), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(driver.createCq(5, 8, at), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(driver.createCq(1, 1, at), Status.INVALID_QUEUE_SIZE);
        assertCode(driver.createCq(1, 1025, at), Status.INVALID_QUEUE_SIZE);
        assertCode(driver.createCq(1, 8, at + 16), Status.PRP_OFFSET_INVALID);
        int cdw10 = AdminCommand.createQueueCdw10(1, 8);
        assertCode(admin(AdminOpcode.CREATE_IO_CQ, 0, cdw10, 0), Status.INVALID_FIELD);
        assertCode(
                admin(
                        AdminOpcode.CREATE_IO_CQ,
                        0,
                        cdw10,
                        AdminCommand.createCqCdw11(true, true, 99)),
                Status.INVALID_INTERRUPT_VECTOR);
        assertCode(driver.createCq(1, 8, at), Status.SUCCESS);
        assertCode(driver.createCq(1, 8, at), Status.INVALID_QUEUE_IDENTIFIER);
    }

    @Test
    void submissionQueuesAreRefusedForEveryReason() {
        long at = page.busAddress();
        assertCode(driver.createSq(1, 8, at, 1), Status.COMPLETION_QUEUE_INVALID);
        assertCode(driver.createCq(1, 8, at), Status.SUCCESS);
        assertCode(driver.createSq(0, 8, at, 1), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(driver.createSq(7, 8, at, 1), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(driver.createSq(1, 8, at, 0), Status.COMPLETION_QUEUE_INVALID);
        assertCode(driver.createSq(1, 8, at, 2), Status.COMPLETION_QUEUE_INVALID);
        assertCode(driver.createSq(1, 8, at, 77), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(driver.createSq(1, 1, at, 1), Status.INVALID_QUEUE_SIZE);
        assertCode(driver.createSq(1, 8, at + 64, 1), Status.PRP_OFFSET_INVALID);
        assertCode(
                admin(
                        AdminOpcode.CREATE_IO_SQ,
                        0,
                        AdminCommand.createQueueCdw10(1, 8),
                        AdminCommand.createSqCdw11(false, 0, 1)),
                Status.INVALID_FIELD);
        assertCode(driver.createSq(1, 8, at, 1), Status.SUCCESS);
        assertCode(driver.createSq(1, 8, at, 1), Status.INVALID_QUEUE_IDENTIFIER);
    }

    @Test
    void queuesAreDeletedInTheRightOrderOnly() {
        driver.ioQueue(1, 8);
        int one = AdminCommand.deleteQueueCdw10(1);
        assertCode(admin(AdminOpcode.DELETE_IO_CQ, 0, one), Status.INVALID_QUEUE_DELETION);
        assertCode(admin(AdminOpcode.DELETE_IO_SQ, 0, 0), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(admin(AdminOpcode.DELETE_IO_SQ, 0, 3), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(admin(AdminOpcode.DELETE_IO_CQ, 0, 0), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(admin(AdminOpcode.DELETE_IO_SQ, 0, one), Status.SUCCESS);
        assertCode(admin(AdminOpcode.DELETE_IO_SQ, 0, one), Status.INVALID_QUEUE_IDENTIFIER);
        assertCode(admin(AdminOpcode.DELETE_IO_CQ, 0, one), Status.SUCCESS);
        assertCode(admin(AdminOpcode.DELETE_IO_CQ, 0, one), Status.INVALID_QUEUE_IDENTIFIER);
        driver.ioQueue(1, 8);
    }

    @Test
    void queuesNeedTheEntrySizesOfConfiguration() {
        driver.bar.store32(Reg.CC, new Cc(MiniDriver.cc()).withIosqes(0).withIocqes(0).raw());
        assertCode(driver.createCq(1, 8, page.busAddress()), Status.INVALID_FIELD);
    }

    @Test
    void numberOfQueuesIsGrantedUpToWhatThereIs() {
        int fid = AdminCommand.setFeaturesCdw10(Feature.NUMBER_OF_QUEUES, false);
        Completion many = admin(AdminOpcode.SET_FEATURES, 0, fid, Feature.numberOfQueues(9, 9));
        assertThat(many.dw0()).isEqualTo(Feature.numberOfQueues(4, 4));
        Completion few = admin(AdminOpcode.SET_FEATURES, 0, fid, Feature.numberOfQueues(1, 2));
        assertThat(few.dw0()).isEqualTo(Feature.numberOfQueues(1, 2));
        assertCode(admin(AdminOpcode.SET_FEATURES, 0, fid, 0xffff), Status.INVALID_FIELD);
        assertCode(driver.createCq(3, 8, page.busAddress()), Status.INVALID_QUEUE_IDENTIFIER);
        driver.ioQueue(1, 8);
        assertCode(
                admin(AdminOpcode.SET_FEATURES, 0, fid, Feature.numberOfQueues(2, 2)),
                Status.COMMAND_SEQUENCE_ERROR);
        int get = AdminCommand.getFeaturesCdw10(Feature.NUMBER_OF_QUEUES, 0);
        assertThat(admin(AdminOpcode.GET_FEATURES, 0, get).dw0())
                .isEqualTo(Feature.numberOfQueues(1, 2));
    }

    @Test
    void featuresHaveCurrentDefaultAndCapabilities() {
        int fid = Feature.TEMPERATURE_THRESHOLD;
        int set = AdminCommand.setFeaturesCdw10(fid, false);
        assertCode(admin(AdminOpcode.SET_FEATURES, 0, set, 333), Status.SUCCESS);
        assertThat(feature(fid, AdminCommand.SELECT_CURRENT).dw0()).isEqualTo(333);
        assertThat(feature(fid, AdminCommand.SELECT_DEFAULT).dw0()).isEqualTo(343);
        assertThat(feature(fid, AdminCommand.SELECT_SAVED).dw0()).isEqualTo(343);
        assertThat(feature(fid, AdminCommand.SELECT_CAPABILITIES).dw0()).isEqualTo(4);
        assertCode(feature(fid, 5), Status.INVALID_FIELD);
        assertCode(feature(Feature.TIMESTAMP, 0), Status.INVALID_FIELD);
    }

    @Test
    void featuresAreRefusedForEveryReason() {
        int saved = AdminCommand.setFeaturesCdw10(Feature.ARBITRATION, true);
        assertCode(admin(AdminOpcode.SET_FEATURES, 0, saved, 1), Status.FEATURE_NOT_SAVEABLE);
        int arbitration = AdminCommand.setFeaturesCdw10(Feature.ARBITRATION, false);
        assertCode(
                admin(AdminOpcode.SET_FEATURES, 1, arbitration, 1),
                Status.FEATURE_NOT_PER_NAMESPACE);
        int unknown = AdminCommand.setFeaturesCdw10(Feature.HOST_MEMORY_BUFFER, false);
        assertCode(admin(AdminOpcode.SET_FEATURES, 0, unknown, 1), Status.INVALID_FIELD);
        int power = AdminCommand.setFeaturesCdw10(Feature.POWER_MANAGEMENT, false);
        assertCode(admin(AdminOpcode.SET_FEATURES, 0, power, 1), Status.INVALID_FIELD);
    }

    @Test
    void namespaceCanBeWriteProtectedAndFreed() {
        var queue = driver.ioQueue(1, 8);
        int set = AdminCommand.setFeaturesCdw10(Feature.WRITE_PROTECTION, false);
        assertCode(admin(AdminOpcode.SET_FEATURES, 1, set, 1), Status.SUCCESS);
        assertCode(
                queue.io(NvmOpcode.WRITE, 0, 1, page.busAddress(), 0),
                Status.NAMESPACE_WRITE_PROTECTED);
        int get = AdminCommand.getFeaturesCdw10(Feature.WRITE_PROTECTION, 0);
        assertThat(admin(AdminOpcode.GET_FEATURES, 1, get).dw0()).isEqualTo(1);
        assertCode(driver.identify(Cns.NAMESPACE, 1, page.busAddress()), Status.SUCCESS);
        assertThat(new IdentifyNamespace(page.segment()).nsattr()).isEqualTo(1);
        assertCode(admin(AdminOpcode.SET_FEATURES, 1, set, 2), Status.INVALID_FIELD);
        assertCode(admin(AdminOpcode.SET_FEATURES, 8, set, 1), Status.INVALID_NAMESPACE);
        assertCode(admin(AdminOpcode.SET_FEATURES, 1, set, 0), Status.SUCCESS);
        assertCode(queue.io(NvmOpcode.WRITE, 0, 1, page.busAddress(), 0), Status.SUCCESS);
    }

    @Test
    void errorLogHoldsTheNewestFirst() {
        var queue = driver.ioQueue(1, 8);
        long at = page.busAddress();
        queue.io(NvmOpcode.READ, 1L << 40, 1, at, 0);
        Completion second = queue.run(NvmOpcode.READ, 7, at, 0, MiniDriver.lba(3, 1));
        assertCode(driver.log(LogPage.ERROR, 0, page, 128, 0), Status.SUCCESS);
        ErrorLogEntry newest = new ErrorLogEntry(page.segment());
        assertThat(newest.errorCount()).isEqualTo(2);
        assertThat(newest.sqid()).isEqualTo(1);
        assertThat(newest.cid()).isEqualTo(second.cid());
        assertThat(newest.nsid()).isEqualTo(7);
        assertThat(newest.status()).isEqualTo(second.status());
        ErrorLogEntry older = new ErrorLogEntry(page.segment().asSlice(64));
        assertThat(older.lba()).isEqualTo(1L << 40);
        assertThat(Status.code(older.status())).isEqualTo(Status.LBA_OUT_OF_RANGE);
    }

    @Test
    void smartCountsWhatHappened() {
        var queue = driver.ioQueue(1, 8);
        long at = page.busAddress();
        for (int i = 0; i < 3; i++) {
            assertCode(queue.io(NvmOpcode.WRITE, 0, 8, at, 0), Status.SUCCESS);
        }
        assertCode(queue.io(NvmOpcode.READ, 0, 8, at, 0), Status.SUCCESS);
        assertCode(queue.io(NvmOpcode.COMPARE, 0, 8, at, 0), Status.SUCCESS);
        assertCode(queue.io(NvmOpcode.READ, 1L << 40, 1, at, 0), Status.LBA_OUT_OF_RANGE);
        assertCode(driver.log(LogPage.SMART, -1, page, 512, 0), Status.SUCCESS);
        SmartLog smart = new SmartLog(page.segment());
        assertThat(smart.hostWriteCommands()).isEqualTo(BigInteger.valueOf(3));
        assertThat(smart.hostReadCommands()).isEqualTo(BigInteger.TWO);
        assertThat(smart.dataUnitsWritten()).isEqualTo(BigInteger.ONE);
        assertThat(smart.dataUnitsRead()).isEqualTo(BigInteger.ONE);
        assertThat(smart.errorLogEntries()).isEqualTo(BigInteger.ONE);
        assertThat(smart.criticalWarning()).isZero();
    }

    @Test
    void logPagesHaveOffsetsAndEnds() {
        assertCode(driver.log(LogPage.FIRMWARE_SLOT, 0, page, 64, 0), Status.SUCCESS);
        assertThat(page.segment().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
        assertCode(driver.log(LogPage.FIRMWARE_SLOT, 0, page, 8, 8), Status.SUCCESS);
        assertThat(page.segment().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) '1');
        page.segment().fill((byte) 9);
        assertCode(driver.log(LogPage.SMART, 0, page, 1024, 0), Status.SUCCESS);
        assertThat(page.segment().get(ValueLayout.JAVA_BYTE, 1023)).isZero();
        assertCode(driver.log(LogPage.SMART, 0, page, 16, 512), Status.INVALID_FIELD);
        assertCode(driver.log(LogPage.SMART, 0, page, 16, 2), Status.INVALID_FIELD);
        assertCode(driver.log(LogPage.SMART, 1, page, 512, 0), Status.INVALID_FIELD);
        assertCode(driver.log(LogPage.ANA, 0, page, 512, 0), Status.INVALID_LOG_PAGE);
        assertCode(driver.log(0xee, 0, page, 512, 0), Status.INVALID_LOG_PAGE);
        assertCode(driver.log(LogPage.ERROR, 0, page, 4 * MIB, 0), Status.INVALID_FIELD);
        assertCode(driver.log(LogPage.COMMAND_EFFECTS, 0, page, 2048, 0), Status.SUCCESS);
        int effects = page.segment().get(ValueLayout.JAVA_INT, 1024 + 4 * NvmOpcode.WRITE);
        assertThat(effects).isEqualTo(3);
    }

    @Test
    void asynchronousEventsWaitForTheirCause() {
        for (int i = 0; i < EVENT_REQUESTS; i++) {
            driver.admin.post(AdminOpcode.ASYNC_EVENT_REQUEST, 0, 0, 0);
        }
        driver.admin.ring();
        driver.turns(50);
        assertThat(driver.admin.poll()).isNull();
        assertCode(admin(AdminOpcode.ASYNC_EVENT_REQUEST, 0), Status.ASYNC_EVENT_LIMIT_EXCEEDED);
        driver.bar.store32(Reg.sqTailDoorbell(3, 0), 1);
        AsyncEvent first = new AsyncEvent(driver.admin.next().dw0());
        assertThat(first.type()).isEqualTo(AsyncEvent.TYPE_ERROR);
        assertThat(first.info()).isEqualTo(AsyncEvent.ERROR_INVALID_DOORBELL);
        assertThat(first.lid()).isEqualTo(LogPage.ERROR);
        driver.bar.store32(Reg.sqTailDoorbell(0, 0), 99);
        driver.turns(50);
        assertThat(driver.admin.poll()).as("masked until the log is read").isNull();
        assertCode(driver.log(LogPage.ERROR, 0, page, 64, 0), Status.SUCCESS);
        AsyncEvent second = new AsyncEvent(driver.admin.next().dw0());
        assertThat(second.info()).isEqualTo(AsyncEvent.ERROR_INVALID_DOORBELL_VALUE);
    }

    @Test
    void abortEndsWhatHasNotBegun() {
        driver.close();
        fabric.close();
        fabric = one(drive("a").latencyNanos(10_000_000));
        driver = MiniDriver.up(fabric, "a");
        page = driver.allocate(4096);
        var queue = driver.ioQueue(1, 8);
        int cid = queue.post(NvmOpcode.READ, 1, page.busAddress(), 0, MiniDriver.lba(0, 1));
        queue.ring();
        driver.turns(3);
        Completion abort = admin(AdminOpcode.ABORT, 0, AdminCommand.abortCdw10(1, cid));
        assertThat(AdminCommand.isAborted(abort.dw0())).isTrue();
        Completion aborted = queue.next();
        assertCode(aborted, Status.ABORT_REQUESTED);
        assertThat(aborted.cid()).isEqualTo(cid);
        assertThat(Status.doNotRetry(aborted.status())).isFalse();
        Completion again = admin(AdminOpcode.ABORT, 0, AdminCommand.abortCdw10(1, cid));
        assertCode(again, Status.SUCCESS);
        assertThat(AdminCommand.isAborted(again.dw0())).isFalse();
        int event = driver.admin.post(AdminOpcode.ASYNC_EVENT_REQUEST, 0, 0, 0);
        driver.admin.ring();
        driver.turns(3);
        driver.admin.post(AdminOpcode.ABORT, 0, 0, 0, AdminCommand.abortCdw10(0, event));
        driver.admin.ring();
        assertCode(driver.admin.next(), Status.ABORT_REQUESTED);
        assertThat(AdminCommand.isAborted(driver.admin.next().dw0())).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {CommandSet.KEY_VALUE, CommandSet.ZONED})
    void namespacesOfOtherCommandSetsSaySoAndRefuseData(int csi) {
        driver.close();
        fabric.close();
        fabric = one(drive("a").namespace(NamespaceModel.memory(MIB, 512).withCommandSet(csi)));
        driver = MiniDriver.up(fabric, "a");
        page = driver.allocate(4096);
        assertThat(driver.cap().css()).isEqualTo(Cap.CSS_NVM | Cap.CSS_IOCS);
        assertCode(driver.identify(Cns.NAMESPACE_DESCRIPTORS, 2, page.busAddress()), 0);
        assertThat(new NamespaceDescriptors(page.segment()).csi()).hasValue(csi);
        assertCode(
                driver.identify(Cns.NAMESPACE, 2, page.busAddress()),
                csi == CommandSet.KEY_VALUE ? Status.INVALID_COMMAND_SET : Status.SUCCESS);
        assertCode(driver.identify(Cns.COMMAND_SETS, 0, page.busAddress()), Status.SUCCESS);
        assertThat(page.segment().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(1 | (1L << csi));
        var queue = driver.ioQueue(1, 4);
        assertCode(
                queue.run(NvmOpcode.READ, 2, page.busAddress(), 0, MiniDriver.lba(0, 1)),
                Status.COMMAND_SET_NOT_ENABLED);
    }

    private Completion feature(int fid, int select) {
        return admin(AdminOpcode.GET_FEATURES, 0, AdminCommand.getFeaturesCdw10(fid, select));
    }

    private int[] ints(int count) {
        return page.segment().asSlice(0, 4L * count).toArray(ValueLayout.JAVA_INT);
    }
}
