package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.BlockPort;
import dev.peerlane.hal.parts.MemoryFault;
import dev.peerlane.pci.ConfigSpace;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.Cap;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.AdminCommand;
import dev.peerlane.spec.wire.Crto;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BringUpTest {
    private final FakeMachine m = new FakeMachine();

    private PeerlaneException refused(String code) {
        PeerlaneException e =
                catchThrowableOfType(PeerlaneException.class, () -> Bench.open(m).close());
        assertThat(e).isNotNull();
        assertThat(e.code()).isEqualTo(code);
        assertThat(e.getMessage()).startsWith("fake:0: ");
        assertThat(e.remedy()).isNotBlank();
        Bench.assertNothingLeft(m);
        return e;
    }

    @Test
    void openedAndClosedControllerLeavesNothingAllocated() {
        Controller c = Bench.open(m);
        assertThat(c.identity().sn()).isEqualTo("FAKE1");
        assertThat(c.queuePairs()).isEqualTo(8);
        assertThat(c.maxTransferBytes()).isEqualTo(1 << 20);
        assertThat(m.device.isBusMaster()).isTrue();
        c.close();
        c.close();
        assertThat(c.closeProblem()).isEmpty();
        assertThat(m.log).containsSubsequence("shutdown", "disabled");
        assertThat(m.device.isBusMaster()).isFalse();
        Bench.assertNothingLeft(m);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void controllerWhoseRegistersCannotBeTouchedIsClosedAndCutOffTheBus(boolean late) {
        Controller c = Bench.open(m);
        InternalError sigbus = new InternalError("a fault in an unsafe memory access");
        m.controller.unreachable = () -> late ? sigbus : MemoryFault.of("BAR 0", sigbus);
        c.close();
        assertThat(c.closeProblem()).isPresent();
        assertThat(m.device.isBusMaster()).isFalse();
        Bench.assertNothingLeft(m);
    }

    @Test
    void registersThatCannotBeTouchedAfterAFunctionResetCutTheControllerOffTheBus() {
        Controller c = Bench.open(m);
        m.controller.neverUnready = true;
        m.device.afterReset =
                () ->
                        m.controller.unreachable =
                                () -> new InternalError("a fault in an unsafe memory access");
        c.close();
        assertThat(m.device.functionResets).isEqualTo(1);
        assertThat(m.device.isBusMaster()).isFalse();
        Bench.assertNothingLeft(m);
    }

    @Test
    void absentFunctionIsGone() {
        m.device.config.store32(ConfigSpace.CLASS_REVISION, -1);
        refused("controller-gone");
    }

    @Test
    void registersOfOnesAreGone() {
        m.controller.goneAtAccess = 1;
        assertThat(refused("controller-gone")).hasMessageContaining("FFFFFFFFh on arrival");
    }

    @Test
    void otherClassIsRefused() {
        m.device.config.store32(ConfigSpace.CLASS_REVISION, 0x020000 << 8);
        assertThat(refused("controller-unsupported")).hasMessageContaining("020000h");
    }

    @Test
    void readyWaitIsBoundedByTheDeclaredTime() {
        m.controller.neverReady = true;
        assertThat(refused("controller-not-ready"))
                .hasMessageContaining("CSTS.RDY did not become 1 within 3000 ms");
        assertThat(m.turns).isBetween(3000, 3100);
    }

    @Test
    void readyWaitFollowsCrtoIfItApplies() {
        m.controller.cap = m.controller.cap.withCrms(1);
        m.controller.crto = Crto.of(20, 0).raw();
        m.controller.readyAfterSteps = 8000;
        Bench.open(m).close();
        Bench.assertNothingLeft(m);
    }

    @Test
    void fatalStatusEndsTheWaitAtOnce() {
        m.controller.fatalOnEnable = true;
        refused("controller-fatal");
        assertThat(m.turns).isLessThan(20);
    }

    @Test
    void controllerLeftRunningByAnEarlierOwnerIsDisabledFirst() {
        m.controller.enabledByFormerOwner();
        Bench.open(m).close();
        assertThat(m.log).startsWith("disabled");
        Bench.assertNothingLeft(m);
    }

    @Test
    void controllerThatCannotBeDisabledOnArrivalIsResetAsAFunction() {
        m.controller.enabledByFormerOwner();
        m.controller.neverUnready = true;
        Bench.open(m).close();
        assertThat(m.device.functionResets).isEqualTo(1);
        Bench.assertNothingLeft(m);
        m.device.resetWorks = false;
        m.controller.enabledByFormerOwner();
        m.controller.neverUnready = true;
        assertThatThrownBy(() -> Bench.open(m))
                .hasMessageContaining("CSTS.RDY did not become 0")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThat(m.host).isEmpty();
    }

    @Test
    void controllerWithoutNvmCommandSetIsRefused() {
        m.controller.cap = m.controller.cap.withCss(Cap.CSS_NO_IO);
        refused("controller-unsupported");
    }

    @Test
    void bigSmallestPageIsRefused() {
        m.controller.cap = m.controller.cap.withMpsmin(4);
        assertThat(refused("controller-unsupported")).hasMessageContaining("65536");
    }

    @Test
    void invalidCapabilitiesAreAFault() {
        m.controller.cap = m.controller.cap.withMqesZ(0);
        refused("controller-nonsense");
        m.controller.cap = m.controller.cap.withMqesZ(255).withDstrd(15);
        assertThat(refused("controller-nonsense")).hasMessageContaining("131072 bytes apart");
        m.controller.vs = new Vs(0);
        refused("controller-nonsense");
    }

    private void identity(Consumer<java.lang.foreign.MemorySegment> change, String text) {
        m.controller.onIdentifyController = change;
        assertThatThrownBy(() -> Bench.open(m))
                .isInstanceOf(ControllerFault.class)
                .hasMessageContaining(text);
        Bench.assertNothingLeft(m);
    }

    @Test
    void absurdIdentifyDataIsNonsense() {
        identity(p -> p.fill((byte) 0), "did not arrive");
        identity(p -> p.fill((byte) -1), "all ones");
        identity(p -> IdentifyController.MDTS.write(p, 200), "MDTS 200");
        identity(p -> IdentifyController.SQES.write(p, 0x77), "SQES 77h");
        identity(p -> IdentifyController.CQES.write(p, 0x33), "CQES 33h");
        identity(p -> IdentifyController.CNTRLTYPE.write(p, 2), "controller type 2");
    }

    @Test
    void mdtsBoundsTransfersInUnitsOfTheSmallestPage() {
        m.controller.onIdentifyController = p -> IdentifyController.MDTS.write(p, 5);
        try (Controller c = Bench.open(m)) {
            assertThat(c.maxTransferBytes()).isEqualTo(128 << 10);
        }
    }

    @Test
    void relaxedOrderingIsTurnedOffAndReadBack() {
        try (Controller c = Bench.open(m)) {
            assertThat(c.relaxedOrderingOff()).isTrue();
            assertThat(m.device.config.load16(0x48)).isZero();
        }
        m.device.config.store16(0x48, 1 << 4);
        m.device.config.relaxedOrderingSticks = true;
        try (Controller c = Bench.open(m)) {
            assertThat(c.relaxedOrderingOff()).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 8", "8, 1", "1, 1"})
    void fewerGrantedQueuesOfEitherKindAreAccepted(int submission, int completion) {
        m.controller.grantedQueues = submission;
        m.controller.grantedCompletionQueues = completion;
        try (Controller c = Bench.open(m);
                NvmeBlockPort port = c.namespace(1).port(4)) {
            assertThat(port.inFlight()).isZero();
            assertThatThrownBy(() -> c.namespace(1).port(4))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("all 1 I/O queue pairs are in use");
        }
        Bench.assertNothingLeft(m);
    }

    @ParameterizedTest
    @CsvSource({"0, 511", "3, 63", "8, 1"})
    void doorbellsThatDoNotFitOnePageStayRegisters(int dstrd, int most) {
        ShadowDoorbells last = ShadowDoorbells.allocate(m.dma, dstrd, most);
        assertThat(last).as("the last one ends at the end of the page").isNotNull();
        last.free();
        assertThat(ShadowDoorbells.allocate(m.dma, dstrd, most + 1)).isNull();
        assertThat(m.host).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "3, 1", "64, 63", "100, 63", "256, 255"})
    void ringsAreNoLongerThanTheControllerAllows(int mqes, int depth) {
        m.controller.cap = m.controller.cap.withMqesZ(mqes - 1);
        try (Controller c = Bench.open(m);
                NvmeBlockPort port = c.namespace(1).port(100_000)) {
            assertThat(port.limits().depth()).isEqualTo(depth);
            for (int opcode : new int[] {AdminOpcode.CREATE_IO_CQ, AdminOpcode.CREATE_IO_SQ}) {
                assertThat(m.controller.adminCommands(opcode))
                        .hasSize(1)
                        .allMatch(q -> AdminCommand.qsizeZ(q.cdw10()) < mqes);
            }
        }
    }

    @Test
    void shutdownThatDoesNotEndIsBoundedAndReported() {
        m.controller.neverShutDown = true;
        Controller c = Bench.open(m);
        int before = m.turns;
        c.close();
        assertThat(m.turns - before).isLessThan(100);
        assertThat(c.closeProblem().orElseThrow()).contains("shutdown did not complete");
        Bench.assertNothingLeft(m);
    }

    @Test
    void controllerThatStaysReadyIsResetAsAFunction() {
        Controller c = Bench.open(m);
        m.controller.neverUnready = true;
        c.close();
        assertThat(m.device.functionResets).isEqualTo(1);
        Bench.assertNothingLeft(m);
    }

    @Test
    void controllerWithoutAnyResetIsCutOffTheBus() {
        Controller c = Bench.open(m);
        m.controller.neverUnready = true;
        m.device.resetWorks = false;
        c.close();
        assertThat(m.device.isBusMaster()).isFalse();
        Bench.assertNothingLeft(m);
    }

    @Test
    void memoryOfAControllerThatCannotBeStoppedIsKept() {
        Controller c = Bench.open(m);
        m.controller.neverUnready = true;
        m.device.resetWorks = false;
        m.device.busMasterSticks = true;
        c.close();
        assertThat(c.closeProblem().orElseThrow()).contains("can be neither disabled nor reset");
        assertThat(m.host).isNotEmpty();
        assertThat(m.violations).isEmpty();
    }

    @Test
    void shadowDoorbellsStayAllocatedWhileTheirCommandIsUnanswered() {
        m.controller.onIdentifyController =
                p -> IdentifyController.OACS.write(p, IdentifyController.OACS_DOORBELL_BUFFER);
        m.controller.statusOf =
                c ->
                        c.opcode() == AdminOpcode.DOORBELL_BUFFER_CONFIG
                                ? FakeController.NO_ANSWER
                                : 0;
        refused("controller-timeout");
        assertThat(m.violations).isEmpty();
        Bench.assertNothingLeft(m);
    }

    @Test
    void resetEndsPortsAndBringsTheControllerBack() {
        try (Controller c = Bench.open(m)) {
            NvmeBlockPort port = c.namespace(1).port(4);
            c.reset();
            assertThatThrownBy(port::ring)
                    .isInstanceOf(ControllerFault.class)
                    .hasMessageContaining("it was reset");
            port.close();
            assertThat(c.failure()).isEmpty();
            try (NvmeBlockPort again = c.namespace(1).port(4)) {
                assertThat(again.limits().depth()).isEqualTo(4);
            }
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void aPortReportsTheConditionOfItsControllerFromBeforeItWasQuiesced() {
        Controller c = Bench.open(m);
        NvmeBlockPort early = c.namespace(1).port(4);
        NvmeBlockPort port = c.namespace(1).port(4);
        assertThat(port.condition()).isEqualTo(BlockPort.READY);
        early.close();
        int csts = m.controller.csts;
        m.controller.csts = 3;
        assertThat(port.condition()).isEqualTo("reports a fatal error: CSTS 00000003h");
        m.controller.csts = 0;
        assertThat(port.condition()).isEqualTo("was reset or disabled: CSTS 00000000h");
        m.controller.csts = -1;
        assertThat(port.condition()).isEqualTo("does not answer: CSTS reads FFFFFFFFh");
        m.controller.csts = csts;
        m.controller.unreachable = () -> PeerlaneException.io("lost", "the socket is closed", "");
        assertThat(port.condition()).isEqualTo("can't be reached: the socket is closed");
        m.controller.unreachable = () -> new InternalError("a fault in an unsafe memory access");
        assertThat(port.condition()).startsWith("can't be reached: its registers");
        m.controller.unreachable = null;
        int kind = m.device.config.load32(ConfigSpace.CLASS_REVISION);
        m.device.config.store32(ConfigSpace.CLASS_REVISION, -1);
        assertThat(port.condition()).startsWith("is gone");
        assertThat(early.condition()).as("when it was closed").isEqualTo(BlockPort.READY);
        port.close();
        m.device.config.store32(ConfigSpace.CLASS_REVISION, kind);
        assertThat(port.condition()).as("when it was closed").startsWith("is gone");
        c.close();
        Bench.assertNothingLeft(m);
    }

    @Test
    void failedResetLeavesAControllerThatReportsIt() {
        Controller c = Bench.open(m);
        m.controller.neverReady = true;
        assertThatThrownBy(c::reset).isInstanceOf(ControllerFault.class);
        assertThatThrownBy(() -> c.namespace(1))
                .isInstanceOf(ControllerFault.class)
                .hasMessageContaining("CSTS.RDY did not become 1");
        c.close();
        Bench.assertNothingLeft(m);
    }
}
