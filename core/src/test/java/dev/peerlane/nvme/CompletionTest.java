package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests a queue pair with a correct driver and a faulty controller. */
class CompletionTest {
    private final FakeMachine m = Bench.withCmb(16);
    private Controller controller;
    private NvmeBlockPort port;
    private PeerBuffer memory;

    @BeforeEach
    void open() {
        controller = Bench.open(m);
        controller.requireCmb().enable(m.dma);
        memory = controller.requireCmb().allocate(32 << 10, 4096);
        port = controller.namespace(1).port(4);
        port.attach(memory, 0, 4096, 4096, 8);
    }

    @AfterEach
    void close() {
        controller.close();
        Bench.assertNothingLeft(m);
    }

    private void nonsense(Consumer<FakeController.Answer> change, String text) {
        m.controller.onAnswer =
                a -> {
                    if (a.sqid == 1) {
                        change.accept(a);
                    }
                };
        assertThat(port.submitRead(0, 0, 8)).isTrue();
        port.ring();
        assertThatThrownBy(() -> Bench.drain(m, port))
                .isInstanceOfSatisfying(
                        ControllerFault.class,
                        e -> {
                            assertThat(e.code()).isEqualTo("controller-nonsense");
                            assertThat(e.locator()).isEqualTo("fake:0");
                        })
                .hasMessageContaining(text);
        assertThatThrownBy(() -> port.poll(1, new Bench.Taken()))
                .as("the pair stays ended")
                .hasMessageContaining(text);
        m.controller.onAnswer = a -> {};
        port.quiesce();
        assertThat(port.inFlight()).isZero();
    }

    @Test
    void commandsStayInFlightAfterAnInvalidCompletionUntilTheControllerIsStopped() {
        m.controller.onAnswer =
                a -> {
                    if (a.sqid == 1) {
                        a.cid ^= 0x8000;
                    }
                };
        port.submitRead(0, 0, 8);
        port.submitRead(1, 8, 8);
        port.ring();
        assertThatThrownBy(() -> Bench.drain(m, port)).isInstanceOf(ControllerFault.class);
        assertThat(port.inFlight()).as("both may still be at work").isEqualTo(2);
        m.controller.onAnswer = a -> {};
        port.quiesce();
        assertThat(port.inFlight()).isZero();
    }

    @Test
    void unknownCommandIdentifierIsAFault() {
        nonsense(a -> a.cid = 0xfff3, "command identifier FFF3h");
    }

    @Test
    void staleSequenceNumberIsAFault() {
        nonsense(a -> a.cid ^= 0x8000, "the command in that place is");
    }

    @Test
    void identifierOfAFreeTagIsAFault() {
        nonsense(a -> a.cid = (a.cid & ~7) | 3, "no such command is in flight");
    }

    @Test
    void duplicateCompletionIsAFault() {
        nonsense(a -> a.twice = true, "stale or duplicate");
    }

    @Test
    void foreignQueueIsAFault() {
        nonsense(a -> a.sqid = 2, "names queue 2");
    }

    @Test
    void headOutsideTheRingIsAFault() {
        nonsense(a -> a.sqhd = 5, "head 5");
    }

    @Test
    void headBeforeTheCommandIsAFault() {
        nonsense(a -> a.sqhd = 0, "head 0");
    }

    @Test
    void headAfterTheDoorbellIsAFault() {
        nonsense(a -> a.sqhd = 2, "head 2");
    }

    @Test
    void wrongPhaseIsNoCompletion() {
        m.controller.onAnswer = a -> a.wrongPhase = a.sqid == 1;
        port.submitRead(0, 0, 8);
        port.ring();
        Bench.Taken taken = new Bench.Taken();
        assertThat(m.clock.await(() -> port.poll(1, taken) > 0, Bench.TIMEOUT)).isFalse();
        assertThat(port.inFlight()).isEqualTo(1);
    }

    @Test
    void headThatLagsBehindButIsPossibleIsAccepted() {
        // Two commands. The first completes last, with the queue head of the time when it was
        // fetched.
        FakeController.Arrived[] late = new FakeController.Arrived[1];
        m.controller.statusOf =
                c -> {
                    if (c.qid() == 1 && late[0] == null) {
                        late[0] = c;
                        return FakeController.NO_ANSWER;
                    }
                    return 0;
                };
        port.submitRead(0, 0, 8);
        port.submitRead(1, 8, 8);
        port.ring();
        Bench.Taken taken = new Bench.Taken();
        assertThat(m.clock.await(() -> port.poll(4, taken) > 0, Bench.TIMEOUT)).isTrue();
        m.controller.answerLate(late[0], 0, 0);
        port.poll(4, taken);
        assertThat(taken.slots).containsExactly(1, 0);
    }

    @Test
    void ringWrapsManyTimesWithOneDoorbellWriteForEachBatch() {
        int before = m.controller.doorbells;
        long lba = 0;
        for (int round = 0; round < 50; round++) {
            for (int slot = 0; slot < 4; slot++) {
                assertThat(port.submitRead(slot, lba, 8)).isTrue();
                lba = (lba + 8) % 900;
            }
            assertThat(port.submitRead(4, 0, 8)).as("queue is full").isFalse();
            port.ring();
            port.ring();
            Bench.Taken taken = Bench.drain(m, port);
            assertThat(taken.slots).containsExactlyInAnyOrder(0, 1, 2, 3);
            assertThat(taken.statuses).containsOnly(Status.SUCCESS);
        }
        assertThat(m.controller.doorbells - before).isEqualTo(100);
        assertThat(m.controller.io(NvmOpcode.READ)).hasSize(200);
        assertThat(m.controller.io(NvmOpcode.READ).stream().map(c -> c.cid()).distinct().count())
                .as("identifiers do not repeat soon")
                .isGreaterThan(150);
    }

    @Test
    void callbackThatThrowsLeavesTheRingConsistent() {
        port.submitRead(0, 0, 8);
        port.submitRead(1, 8, 8);
        port.ring();
        m.clock.turn();
        assertThatThrownBy(() ->
                        port.poll(
                                4,
                                new dev.peerlane.block.Completions() {
                                    @Override
                                    public void completed(int slot, int status) {
                                        throw new IllegalStateException("callback");
                                    }
                                }))
                .hasMessage("callback");
        assertThat(Bench.drain(m, port).slots).containsExactly(1);
    }

    @Test
    void statusReachesTheCallerWhole() {
        m.controller.statusOf = c -> c.qid() == 1 ? Status.WRITE_FAULT | Status.DO_NOT_RETRY : 0;
        port.submitWrite(0, 0, 8);
        port.ring();
        int status = Bench.drain(m, port).statuses.getFirst();
        assertThat(status).isEqualTo(Status.WRITE_FAULT | Status.DO_NOT_RETRY);
        assertThat(port.mayRetry(status)).isFalse();
        assertThat(port.mayRetry(Status.WRITE_FAULT)).isTrue();
        assertThat(port.isMiscompare(Status.COMPARE_FAILURE)).isTrue();
        assertThat(port.mayRetry(Status.COMPARE_FAILURE)).isFalse();
        assertThat(port.describe(status)).contains("Write Fault (280h");
    }

    @Test
    void slotWithACommandInFlightIsRefused() {
        m.controller.sleeps = true;
        port.submitRead(2, 0, 8);
        assertThatThrownBy(() -> port.submitWrite(2, 0, 8))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("slot 2 has a command in flight");
        m.controller.sleeps = false;
        port.ring();
        Bench.drain(m, port);
        assertThat(port.submitWrite(2, 0, 8)).isTrue();
        port.ring();
        Bench.drain(m, port);
    }

    @Test
    void wrongSubmissionsPostNothing() {
        assertThatThrownBy(() -> port.submitRead(8, 0, 8)).hasMessageContaining("slot 8 of 8");
        assertThatThrownBy(() -> port.submitRead(-1, 0, 8)).hasMessageContaining("slot -1");
        assertThatThrownBy(() -> port.submitRead(0, 0, 9)).hasMessageContaining("room for 8");
        assertThatThrownBy(() -> port.submitRead(0, 993, 8)).hasMessageContaining("has 1000");
        assertThatThrownBy(() -> port.submitRead(0, -1, 1)).hasMessageContaining("at -1");
        assertThatThrownBy(() -> port.submitRead(0, 0, 0)).hasMessageContaining("0 blocks");
        assertThatThrownBy(() -> port.submitRead(0, 0, 1 << 30)).hasMessageContaining("room");
        assertThat(port.inFlight()).isZero();
    }

    @Test
    void otherThreadsAreRefusedAndPostNothing() throws InterruptedException {
        Throwable[] thrown = new Throwable[4];
        Thread other =
                new Thread(
                        () -> {
                            thrown[0] = catching(port::ring);
                            thrown[1] = catching(() -> port.poll(1, new Bench.Taken()));
                            thrown[2] = catching(() -> port.submitWrite(0, 0, 8));
                            thrown[3] = catching(() -> port.submitFlush());
                        },
                        "other");
        other.start();
        other.join();
        assertThat(thrown)
                .allSatisfy(t ->
                        assertThat(t)
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessageContaining("not to other"));
        int before = m.controller.arrived.size();
        port.ring();
        m.clock.turn();
        assertThat(m.controller.arrived).as("what was refused").hasSize(before);
        assertThat(port.inFlight()).isZero();
    }

    private static Throwable catching(Runnable call) {
        try {
            call.run();
            return null;
        } catch (RuntimeException e) {
            return e;
        }
    }

    @Test
    void controllerThatVanishesWhileCommandsAreInFlightIsDetected() {
        m.controller.sleeps = true;
        port.submitRead(0, 0, 8);
        port.ring();
        m.controller.gone = true;
        Bench.Taken taken = new Bench.Taken();
        assertThatThrownBy(
                        () -> {
                            for (int i = 0; i < 5000; i++) {
                                port.poll(1, taken);
                                m.clock.turn();
                            }
                        })
                .isInstanceOf(ControllerFault.class)
                .hasMessageContaining("gone");
        port.quiesce();
    }

    @Test
    void abortTellsWhatCameOfIt() {
        m.controller.statusOf = c -> c.qid() == 1 ? FakeController.NO_ANSWER : 0;
        assertThat(port.abort(0)).contains("no command of slot 0");
        port.submitRead(0, 0, 8);
        port.ring();
        m.clock.turn();
        assertThat(port.abort(0)).isEqualTo("the controller says that it aborted the command");
        int cid = m.controller.io(NvmOpcode.READ).getFirst().cid();
        int cdw10 = m.controller.adminCommands(8).getFirst().cdw10();
        assertThat(cdw10).isEqualTo(cid << 16 | 1);
        assertThat(port.inFlight()).as("abort frees nothing").isEqualTo(1);
    }

    @Test
    void abortThatIsNeverAnsweredIsBoundedAndCounted() {
        m.controller.statusOf = c -> c.qid() == 1 || c.opcode() == 8 ? FakeController.NO_ANSWER : 0;
        port.submitRead(0, 0, 8);
        port.ring();
        int before = m.turns;
        assertThat(port.abort(0)).contains("not answered within 50 ms");
        assertThat(m.turns - before).isLessThan(60);
        assertThat(port.abort(0)).contains("no Abort sent: 1 are unanswered");
        m.controller.statusOf = c -> 0;
        assertThat(controller.namespace(1).nsid()).as("admin queue lives on").isEqualTo(1);
        m.controller.answerLate(m.controller.adminCommands(8).getFirst(), 0, 0);
        assertThat(controller.namespace(1).nsid()).isEqualTo(1);
        assertThat(port.abort(0)).contains("aborted the command");
    }

    @Test
    void unansweredAdminCommandEndsTheAdminQueueUntilAReset() {
        m.controller.statusOf = c -> c.qid() == 0 ? FakeController.NO_ANSWER : 0;
        assertThatThrownBy(() -> controller.admin().smart())
                .isInstanceOf(ControllerFault.class)
                .hasMessageContaining("Get Log Page was not answered within 50 ms");
        assertThat(controller.failure().orElseThrow().code()).isEqualTo("controller-timeout");
        assertThatThrownBy(() -> controller.namespace(1)).isInstanceOf(ControllerFault.class);
        port.submitRead(0, 0, 8);
        assertThat(port.abort(0)).startsWith("no Abort sent: fake:0: Get Log Page was not");
        m.controller.statusOf = c -> 0;
        controller.reset();
        assertThat(controller.failure()).isEmpty();
        assertThat(controller.admin().smart().criticalWarning()).isZero();
    }

    @Test
    void quiesceDeletesTheQueueBeforeItsMemoryIsFreed() {
        m.controller.statusOf = c -> c.qid() == 1 ? FakeController.NO_ANSWER : 0;
        port.submitRead(0, 0, 8);
        port.ring();
        port.quiesce();
        assertThat(m.log).contains("delete sq");
        assertThat(port.inFlight()).isZero();
        assertThat(port.poll(1, new Bench.Taken())).isZero();
        assertThatThrownBy(() -> port.submitRead(0, 0, 8)).isInstanceOf(ControllerFault.class);
        port.close();
        port.close();
    }

    @Test
    void listsStayUntilNoCommandCanReadThem() {
        int slot = port.attach(memory, 0, 16 << 10, 0, 1);
        m.controller.statusOf = c -> c.qid() == 1 ? FakeController.NO_ANSWER : 0;
        port.submitRead(slot, 0, 32);
        port.ring();
        m.clock.turn();
        port.close();
        assertThat(m.log).contains("delete sq");
        assertThat(m.violations).isEmpty();
    }

    @Test
    void queueThatCannotBeDeletedResetsTheController() {
        m.controller.statusOf = c -> c.opcode() == 0 && c.qid() == 0 ? Status.INTERNAL_ERROR : 0;
        m.controller.sleeps = false;
        port.quiesce();
        assertThat(m.log).contains("disabled");
        assertThat(controller.failure()).as("it is back").isEmpty();
        assertThat(m.violations).isEmpty();
        m.controller.statusOf = c -> 0;
    }

    @Test
    void deletionThatIsNeverAnsweredResetsTheController() {
        m.controller.statusOf = c -> c.opcode() == 0 && c.qid() == 0 ? FakeController.NO_ANSWER : 0;
        int before = m.turns;
        port.quiesce();
        assertThat(m.turns - before).isLessThan(100);
        assertThat(controller.failure()).isEmpty();
        m.controller.statusOf = c -> 0;
    }

    @Test
    void flushHasNoSlot() {
        assertThat(port.submitFlush()).isTrue();
        port.ring();
        assertThat(Bench.drain(m, port).slots).containsExactly(-1);
    }
}
