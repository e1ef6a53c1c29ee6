package dev.peerlane.emulator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Cns;
import dev.peerlane.spec.wire.Reg;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class BringUpTest {
    private static final long MIB = 1 << 20;

    static FabricModel.Builder twoDrives() {
        return FabricModel.builder()
                .time(FabricModel.Time.VIRTUAL)
                .drive(
                        DriveModel.named("a")
                                .memory(64 * MIB, 512)
                                .cmb(CmbModel.of(4 * MIB))
                                .build())
                .drive(
                        DriveModel.named("b")
                                .memory(64 * MIB, 4096)
                                .cmb(CmbModel.of(4 * MIB))
                                .build());
    }

    @Test
    void enabledControllerIdentifiesItself() {
        try (EmulatedFabric fabric = new EmulatedFabric(twoDrives().build());
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            var page = driver.allocate(4096);
            assertThat(driver.identify(Cns.CONTROLLER, 0, page.busAddress()).status()).isZero();
            IdentifyController id = new IdentifyController(page.segment());
            assertThat(id.sn()).isEqualTo("EMU-a");
            assertThat(id.mdts()).isEqualTo(5);
            assertThat(driver.identify(Cns.NAMESPACE, 1, page.busAddress()).status()).isZero();
            IdentifyNamespace ns = new IdentifyNamespace(page.segment());
            assertThat(ns.nsze()).isEqualTo(64 * MIB / 512);
            assertThat(ns.format().dataBytes()).isEqualTo(512);
        }
    }

    @Test
    void writtenBlocksAreReadBack() {
        try (EmulatedFabric fabric = new EmulatedFabric(twoDrives().build());
                MiniDriver driver = MiniDriver.up(fabric, "a")) {
            var queue = driver.ioQueue(1, 8);
            var from = driver.allocate(8192);
            var to = driver.allocate(8192);
            for (long i = 0; i < 8192; i++) {
                from.segment().set(JAVA_BYTE, i, (byte) (i * 7));
            }
            long f = from.busAddress();
            long t = to.busAddress();
            assertThat(queue.io(NvmOpcode.WRITE, 3, 16, f, f + 4096).status()).isZero();
            assertThat(queue.io(NvmOpcode.READ, 3, 16, t, t + 4096).status()).isZero();
            assertThat(MemorySegment.mismatch(from.segment(), 0, 8192, to.segment(), 0, 8192))
                    .isEqualTo(-1);
            assertThat(queue.io(NvmOpcode.COMPARE, 3, 16, f, f + 4096).status()).isZero();
            assertThat(queue.io(NvmOpcode.COMPARE, 4, 16, f, f + 4096).code())
                    .isEqualTo(Status.COMPARE_FAILURE);
        }
    }

    @Test
    void dataGoesFromDriveToDriveThroughTheTargetsCmb() {
        try (EmulatedFabric fabric = new EmulatedFabric(twoDrives().build());
                MiniDriver a = MiniDriver.up(fabric, "a");
                MiniDriver b = MiniDriver.up(fabric, "b")) {
            var qa = a.ioQueue(1, 8);
            var qb = b.ioQueue(1, 8);
            b.bar.store32(Reg.CMBMSC, 1);
            assertThat(b.bar.load32(Reg.CMBSZ)).isNotZero();
            var cmb = b.device.bar(2);
            try (var window = fabric.dma().mapPeer(b.device, cmb, 0, 4 * MIB)) {
                long at = window.busAddress();
                b.bar.store32(Reg.CMBMSC + 4, (int) (at >>> 32));
                b.bar.store32(Reg.CMBMSC, (int) at | 3);
                assertThat(b.bar.load32(Reg.CMBSTS)).isZero();
                var host = a.allocate(4096);
                host.segment().fill((byte) 0x5a);
                assertThat(qa.io(NvmOpcode.WRITE, 0, 8, host.busAddress(), 0).status()).isZero();
                assertThat(qa.io(NvmOpcode.READ, 0, 8, at + 8192, 0).status()).isZero();
                assertThat(cmb.load64(8192)).isEqualTo(0x5a5a5a5a5a5a5a5aL);
                assertThat(qb.io(NvmOpcode.WRITE, 7, 1, at + 8192, 0).status()).isZero();
                host.segment().fill((byte) 0);
                assertThat(qb.io(NvmOpcode.READ, 7, 1, host.busAddress(), 0).status()).isZero();
                assertThat(host.segment().get(JAVA_BYTE, 4095)).isEqualTo((byte) 0x5a);
                var traffic = fabric.traffic().orElseThrow();
                assertThat(traffic.of(a.device.bdf()).peerWritten()).isEqualTo(4096);
                assertThat(traffic.of(b.device.bdf()).ownMemory()).isEqualTo(4096);
                assertThat(traffic.total().hostData()).isEqualTo(8192);
            }
        }
    }
}
