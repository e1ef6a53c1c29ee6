package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.one;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests the controller's Doorbell Buffer Config (NVMe Base 2.0, 5.8). */
class ShadowDoorbellTest {
    private static final long SQ1_TAIL = 8;
    private static final long CQ1_HEAD = 12;
    private static final int TURNS_TO_REST = 200;

    private EmulatedFabric fabric;
    private MiniDriver driver;
    private DmaBuffer shadows;
    private DmaBuffer events;
    private DmaBuffer data;

    private void bringUp(boolean supported) {
        fabric = one(drive("a").doorbellBuffer(supported));
        driver = MiniDriver.up(fabric, "a");
        shadows = driver.allocate(4096);
        events = driver.allocate(4096);
        data = driver.allocate(4096);
    }

    @AfterEach
    void tearDown() {
        if (driver != null) {
            driver.close();
            fabric.close();
        }
    }

    private Completion configure(long shadowPage, long eventPage) {
        return driver.admin.run(AdminOpcode.DOORBELL_BUFFER_CONFIG, 0, shadowPage, eventPage);
    }

    private static void assertCode(Completion completion, int code) {
        assertThat(Status.describe(completion.code())).isEqualTo(Status.describe(code));
    }

    private void turns() {
        for (int i = 0; i < TURNS_TO_REST; i++) {
            fabric.clock().turn();
        }
    }

    private void post(Queue queue) {
        queue.post(NvmOpcode.READ, 1, data.busAddress(), 0, MiniDriver.lba(0, 1));
    }

    @Test
    void isRefusedWithoutSupportAndOffItsPages() {
        bringUp(false);
        assertCode(configure(shadows.busAddress(), events.busAddress()), Status.INVALID_OPCODE);
        tearDown();
        bringUp(true);
        assertCode(
                configure(shadows.busAddress() + 8, events.busAddress()),
                Status.PRP_OFFSET_INVALID);
        assertCode(configure(shadows.busAddress(), 0), Status.INVALID_FIELD);
        assertCode(configure(shadows.busAddress(), events.busAddress()), Status.SUCCESS);
    }

    @Test
    void writesEventIdxBeforeItRests() {
        bringUp(true);
        assertCode(configure(shadows.busAddress(), events.busAddress()), Status.SUCCESS);
        Queue queue = driver.ioQueue(1, 8);
        turns();
        // at rest: a value in memory is not seen without a register write
        post(queue);
        shadows.segment().set(JAVA_INT, SQ1_TAIL, 1);
        turns();
        assertThat(queue.poll()).isNull();
        queue.ring();
        Completion first = queue.next(); // writes the head's register, not its shadow
        assertCode(first, Status.SUCCESS);
        // awake: the value in memory is enough
        post(queue);
        shadows.segment().set(JAVA_INT, SQ1_TAIL, 2);
        shadows.segment().set(JAVA_INT, CQ1_HEAD, 1);
        assertCode(queue.next(), Status.SUCCESS);
        shadows.segment().set(JAVA_INT, CQ1_HEAD, 2);
        turns();
        assertThat(events.segment().get(JAVA_INT, SQ1_TAIL)).isEqualTo(2);
        assertThat(events.segment().get(JAVA_INT, CQ1_HEAD)).isEqualTo(2);
        assertThat(fabric.controller("a").violations()).isEmpty();
    }

    @Test
    void aBadValueInMemoryIsABadDoorbell() {
        bringUp(true);
        assertCode(configure(shadows.busAddress(), events.busAddress()), Status.SUCCESS);
        Queue queue = driver.ioQueue(1, 8);
        shadows.segment().set(JAVA_INT, SQ1_TAIL, 77);
        queue.ring();
        turns();
        assertThat(fabric.controller("a").violations())
                .containsExactly("invalid doorbell: submission queue 1 can't take 77");
    }

    @Test
    void packetsAndDoorbellsBeyondAPageAreRefused() {
        assertThatThrownBy(() -> drive("a").doorbellBuffer(true).ioQueues(512).build())
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("has doorbellBuffer, and more doorbells than a page holds");
        DriveModel drive = drive("a").doorbellBuffer(true).build();
        assertThatThrownBy(() ->
                        FabricModel.builder().drive(drive).packets(PacketModel.DEFAULTS).build())
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("with packets, drives can't have a doorbellBuffer");
    }

    @Test
    void anObserverSeesItsValuesAndNoEventIdxAsACompletion() {
        bringUp(true);
        assertCode(configure(shadows.busAddress(), events.busAddress()), Status.SUCCESS);
        Queue queue = driver.ioQueue(1, 8);
        PacketWatchTest.Order watch = new PacketWatchTest.Order();
        fabric.watch(watch);
        post(queue);
        shadows.segment().set(JAVA_INT, SQ1_TAIL, 1);
        queue.ring();
        assertCode(queue.next(), Status.SUCCESS);
        turns();
        assertThat(watch.order()).containsExactly("doorbell 1008h: 1", "write", "end");
    }
}
