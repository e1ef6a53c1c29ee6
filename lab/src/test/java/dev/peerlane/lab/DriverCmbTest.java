package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.qtest.QtestFabric;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests copies of one slot through a CMB, built from the driver's parts, with two drives behind a
 * switch and a third on a root port. The pattern must be on the target and nowhere in RAM.
 */
@Tag("qemu")
class DriverCmbTest {
    private static final int SLOT = 64 << 10;
    private static final long LONG_NANOS = 20_000_000_000L;
    private static final long WORD = 0x6c_61_6e_65_5a_a5_c3_3cL;

    private final List<Controller> controllers = new ArrayList<>();
    private Qemu qemu;
    private QtestFabric fabric;

    private void start(boolean iommu) throws IOException {
        Qemu.Builder machine =
                Qemu.machine()
                        .ramMib(64)
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(16))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(16))
                        .drive(Drive.named("ssd2").cmbMib(16));
        qemu = (iommu ? machine.iommu(39) : machine).start();
        fabric = qemu.attach();
        for (String locator : fabric.locators()) {
            controllers.add(Controller.open(fabric, locator, ControllerOptions.DEFAULTS));
        }
        Data.write(qemu.image("ssd0"), 0, Data.marked(WORD, 4 * SLOT));
    }

    @AfterEach
    void stop() {
        controllers.forEach(Controller::close);
        fabric.close();
        qemu.close();
        assertThat(controllers).allSatisfy(c -> assertThat(c.closeProblem()).isEmpty());
    }

    private static final class Last extends Completions {
        private int slot = Integer.MIN_VALUE;
        private int status;

        @Override
        public void completed(int completedSlot, int completedStatus) {
            slot = completedSlot;
            status = completedStatus;
        }
    }

    /** Rings the doorbell, waits for the only command in flight and returns its status. */
    private int await(BlockPort port, int slot) {
        Last last = new Last();
        port.ring();
        BooleanSupplier done = () -> port.poll(1, last) > 0;
        assertThat(fabric.clock().await(done, LONG_NANOS)).as("a completion came").isTrue();
        assertThat(last.slot).isEqualTo(slot);
        return last.status;
    }

    private void copy(PeerBuffer buffer, int blocks) {
        Namespace source = controllers.get(0).namespace(1);
        Namespace target = controllers.get(1).namespace(1);
        try (BlockPort from = source.port(4);
                BlockPort to = target.port(4)) {
            int slot = from.attach(buffer, 0, SLOT, SLOT, 1);
            assertThat(to.attach(buffer, 0, SLOT, SLOT, 1)).isEqualTo(slot);
            for (int lba = 0; lba < 4 * blocks; lba += blocks) {
                assertThat(from.submitRead(slot, lba, blocks)).isTrue();
                assertThat(await(from, slot)).isZero();
                assertThat(to.submitWrite(slot, 1000 + lba, blocks)).isTrue();
                assertThat(await(to, slot)).isZero();
            }
            assertThat(to.submitFlush()).isTrue();
            assertThat(await(to, BlockPort.NO_SLOT)).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1, false", "2, false", "0, true", "1, true", "2, true"})
    void oneSlotOfAnyCmbCarriesACopyPastHostMemory(int owner, boolean iommu) throws IOException {
        start(iommu);
        ControllerMemoryBuffer cmb = controllers.get(owner).requireCmb();
        cmb.enable(fabric.dma());
        PeerBuffer buffer = cmb.allocate(SLOT, 4096);

        copy(buffer, SLOT / 512);

        byte[] expected = Data.marked(WORD, 4 * SLOT);
        assertThat(Data.read(qemu.image("ssd1"), 1000 * 512, 4 * SLOT)).isEqualTo(expected);
        assertThat(Data.count(qemu.ram(), WORD)).isZero();
        assertThat(buffer.load64(512)).isEqualTo(WORD);
        buffer.close();
        if (iommu) {
            assertThat(fabric.iommu().orElseThrow().faults().faults()).isEmpty();
        }
    }

    @Test
    void searchOfRamFindsWhatDidCrossIt() throws IOException {
        start(false);
        try (DmaBuffer host = fabric.dma().allocate(SLOT)) {
            controllers.get(0).namespace(1).read(host, 0, 0, SLOT / 512);
            assertThat(Data.count(qemu.ram(), WORD)).isEqualTo(SLOT / 512);
        }
    }

    @Test
    void memoryOutsideTheTablesFaultsThoughTheCommandSucceeds() throws IOException {
        start(true);
        long outside = 60L << 20; // RAM that was not allocated
        assertThat(fabric.iommu().orElseThrow().faults().isEmpty()).isTrue();

        copy(new Unmapped(outside), 8);

        var log = fabric.iommu().orElseThrow().faults();
        assertThat(log.faults()).isNotEmpty();
        assertThat(log.faults().getFirst().requester())
                .isEqualTo(controllers.get(0).device().bdf());
        assertThat(log.faults().getFirst().address()).isEqualTo(outside);
        assertThat(Data.count(qemu.ram(), WORD)).isZero();
        assertThat(Data.read(qemu.image("ssd1"), 1000 * 512, 4096))
                .isNotEqualTo(Data.read(qemu.image("ssd0"), 0, 4096));
    }

    @Test
    void disabledCmbIsNoLongerReached() throws IOException {
        start(true);
        ControllerMemoryBuffer cmb = controllers.get(1).requireCmb();
        cmb.enable(fabric.dma());
        PeerBuffer buffer = cmb.allocate(SLOT, 4096);
        final long address = buffer.busAddress();
        buffer.close();
        cmb.disable();
        try (BlockPort from = controllers.get(0).namespace(1).port(4)) {
            int slot = from.attach(new Unmapped(address), 0, 4096, 4096, 1);
            assertThat(from.submitRead(slot, 0, 8)).isTrue();
            await(from, slot);
        }
        assertThat(fabric.iommu().orElseThrow().faults().faults())
                .extracting(fault -> fault.address())
                .containsExactly(address);
    }

    @Test
    void bufferIsWipedWhenItIsClosed() throws IOException {
        start(false);
        ControllerMemoryBuffer cmb = controllers.get(0).requireCmb();
        cmb.enable(fabric.dma());
        PeerBuffer buffer = cmb.allocate(SLOT, 4096);
        controllers.get(0).namespace(1).read(buffer, 0, 0, SLOT / 512);
        assertThat(buffer.load64(0)).isEqualTo(WORD);
        long offset = buffer.busAddress() - cmb.busAddress();
        buffer.close();
        var bar = controllers.get(0).device().bar(2);
        for (long at = 0; at < SLOT; at += 512) {
            assertThat(bar.load64(offset + at)).isZero();
        }
    }

    @Test
    void compareWithTheOwnersCmbTellsEqualFromDifferent() throws IOException {
        start(false);
        ControllerMemoryBuffer cmb = controllers.get(1).requireCmb();
        cmb.enable(fabric.dma());
        try (PeerBuffer buffer = cmb.allocate(SLOT, 4096);
                BlockPort from = controllers.get(0).namespace(1).port(4);
                BlockPort to = controllers.get(1).namespace(1).port(4)) {
            int slot = from.attach(buffer, 0, SLOT, SLOT, 1);
            to.attach(buffer, 0, SLOT, SLOT, 1);
            assertThat(from.submitRead(slot, 0, 128)).isTrue();
            assertThat(await(from, slot)).isZero();
            assertThat(to.submitCompare(slot, 0, 128)).isTrue();
            int different = await(to, slot);
            assertThat(to.isMiscompare(different)).isTrue();
            assertThat(to.describe(different)).isNotEmpty();
            assertThat(to.submitWrite(slot, 0, 128)).isTrue();
            assertThat(await(to, slot)).isZero();
            assertThat(to.submitCompare(slot, 0, 128)).isTrue();
            assertThat(await(to, slot)).isZero();
        }
    }
}
