package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.IdentifyController;
import dev.peerlane.spec.IdentifyNamespace;
import dev.peerlane.spec.LbaFormat;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.SmartLog;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.Vs;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NamespaceTest {
    private final FakeMachine m = new FakeMachine();

    private PeerlaneException unusable(Category category, String text) {
        try (Controller c = Bench.open(m)) {
            Namespace ns = c.namespace(1);
            PeerlaneException e =
                    catchThrowableOfType(PeerlaneException.class, () -> ns.port(4).close());
            assertThat(e).isNotNull().hasMessageContaining(text);
            assertThat(e.category()).isEqualTo(category);
            try (DmaBuffer b = m.dma.allocate(4096)) {
                assertThatThrownBy(() -> ns.read(b, 0, 0, 1)).hasMessage(e.getMessage());
            }
            return e;
        }
    }

    @Test
    void metadataIsRefused() {
        m.controller.format = LbaFormat.of(8, 9, 0);
        unusable(Category.MACHINE, "fake:0/n1 has 8 bytes of metadata");
    }

    @Test
    void protectionInformationIsRefused() {
        m.controller.onIdentifyNamespace = p -> IdentifyNamespace.DPS.write(p, 1);
        unusable(Category.MACHINE, "protection information of type 1");
    }

    @Test
    void otherCommandSetsAreRefused() {
        m.controller.csi = CommandSet.ZONED;
        unusable(Category.MACHINE, "the Zoned Namespace command set");
        m.controller.csi = CommandSet.KEY_VALUE;
        unusable(Category.MACHINE, "the Key Value command set");
    }

    @Test
    void blockSizesOutsideTheRangeAreRefused() {
        m.controller.format = LbaFormat.of(0, 8, 0);
        unusable(Category.MACHINE, "blocks of 2^8 bytes");
        m.controller.format = LbaFormat.of(0, 17, 0);
        unusable(Category.MACHINE, "blocks of 2^17 bytes");
        m.controller.format = LbaFormat.of(0, 200, 0);
        unusable(Category.MACHINE, "blocks of 2^200 bytes");
    }

    @Test
    void absurdGeometryIsNonsense() {
        m.controller.blocks = Long.MAX_VALUE;
        unusable(Category.IO, "NSZE 9223372036854775807");
        m.controller.blocks = -5;
        unusable(Category.IO, "NSZE 18446744073709551611");
        m.controller.blocks = 1000;
        m.controller.onIdentifyNamespace = p -> IdentifyNamespace.FLBAS.write(p, 3);
        unusable(Category.IO, "names format 3 of 1");
    }

    @Test
    void missingNamespaceIsARequestError() {
        try (Controller c = Bench.open(m)) {
            for (int nsid : new int[] {0, 2, -1}) {
                assertThatThrownBy(() -> c.namespace(nsid))
                        .isInstanceOfSatisfying(
                                PeerlaneException.class,
                                e -> {
                                    assertThat(e.category()).isEqualTo(Category.REQUEST);
                                    assertThat(e.code()).isEqualTo("no-such-namespace");
                                });
            }
        }
    }

    @Test
    void writeProtectedNamespaceIsReadOnly() {
        m.controller.onIdentifyNamespace = p -> IdentifyNamespace.NSATTR.write(p, 1);
        readOnly("write protected");
    }

    @Test
    void readOnlyMediaMakeAReadOnlyNamespace() {
        m.controller.onSmart = p -> SmartLog.CRITICAL_WARNING.write(p, SmartLog.WARNING_READ_ONLY);
        readOnly("read only mode");
    }

    private void readOnly(String reason) {
        try (Controller c = Bench.open(m);
                DmaBuffer b = m.dma.allocate(4096)) {
            Namespace ns = c.namespace(1);
            ns.read(b, 0, 0, 1);
            assertThatThrownBy(() -> ns.write(b, 0, 0, 1)).hasMessageContaining(reason);
            assertThatThrownBy(() -> ns.writeZeroes(0, 1)).hasMessageContaining(reason);
            assertThatThrownBy(() -> ns.deallocate(0, 1)).hasMessageContaining(reason);
            NvmeBlockPort port = ns.port(1);
            assertThat(port.limits().readOnly()).contains(reason);
            assertThatThrownBy(() -> port.submitWrite(0, 0, 1)).hasMessageContaining(reason);
        }
        Bench.assertNothingLeft(m);
        assertThat(m.controller.io(NvmOpcode.WRITE)).isEmpty();
    }

    @Test
    void activeNamespacesComeInOrderOrNotAtAll() {
        m.controller.nsids = new int[] {1, 3, 7};
        try (Controller c = Bench.open(m)) {
            assertThat(c.activeNamespaces()).containsExactly(1, 3, 7);
            assertThat(c.namespaces())
                    .extracting(Namespace::name)
                    .containsExactly("fake:0/n1", "fake:0/n3", "fake:0/n7");
            m.controller.nsids = new int[] {3, 1};
            assertThatThrownBy(c::activeNamespaces)
                    .isInstanceOf(ControllerFault.class)
                    .hasMessageContaining("00000001h after 00000003h");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1023, 1024, 1025, 2048, 2500})
    void namespacesBeyondTheFirstListAreFound(int count) {
        m.controller.nsids = IntStream.rangeClosed(1, count).map(i -> 3 * i).toArray();
        try (Controller c = Bench.open(m)) {
            assertThat(c.activeNamespaces()).isEqualTo(m.controller.nsids);
        }
    }

    @Test
    void versionWithoutAListIsQueriedOneNsidAtATime() {
        m.controller.vs = Vs.of(1, 0, 0);
        m.controller.nsids = new int[] {1, 4};
        try (Controller c = Bench.open(m)) {
            assertThat(c.activeNamespaces()).containsExactly(1, 4);
        }
    }

    @Test
    void longTransfersAreCutAtMdts() {
        m.controller.onIdentifyController = p -> IdentifyController.MDTS.write(p, 2);
        try (Controller c = Bench.open(m);
                DmaBuffer b = m.dma.allocate(128 << 10)) {
            c.namespace(1).read(b, 0, 10, 83);
            List<FakeController.Arrived> reads = m.controller.io(NvmOpcode.READ);
            assertThat(reads)
                    .extracting(FakeController.Arrived::blocks)
                    .containsExactly(32, 32, 19);
            assertThat(reads)
                    .extracting(FakeController.Arrived::slba)
                    .containsExactly(10L, 42L, 74L);
            assertThat(reads.get(1).pages().getFirst()).isEqualTo(b.busAddress() + (16 << 10));
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void pagesCoverExactlyTheData() {
        m.controller.blocks = 100_000;
        try (Controller c = Bench.open(m);
                DmaBuffer b = m.dma.allocate(2 << 20)) {
            Namespace ns = c.namespace(1);
            for (int offset : new int[] {0, 4, 512, 4092, 4096}) {
                for (int blocks : new int[] {1, 7, 8, 9, 16, 17, 24, 2048}) {
                    m.controller.arrived.clear();
                    ns.write(b, offset, 0, blocks);
                    FakeController.Arrived w = m.controller.io(NvmOpcode.WRITE).getFirst();
                    long from = b.busAddress() + offset;
                    assertThat(w.pages().getFirst()).isEqualTo(from);
                    long last = (from + blocks * 512L - 1) & -4096;
                    for (int i = 1; i < w.pages().size(); i++) {
                        assertThat(w.pages().get(i)).isEqualTo((from & -4096) + i * 4096L);
                    }
                    assertThat(w.pages().getLast() & -4096).isEqualTo(last);
                }
            }
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void portSlotsAtOddPlacesGetTheirPages() {
        FakeMachine cmb = Bench.withCmb(256);
        cmb.controller.blocks = 100_000;
        try (Controller c = Bench.open(cmb)) {
            c.requireCmb().enable(cmb.dma);
            try (PeerBuffer memory = c.requireCmb().allocate(1 << 20, 4096);
                    NvmeBlockPort port = c.namespace(1).port(8)) {
                assertThat(port.attach(memory, 508, 20480, 20484, 3)).isZero();
                assertThat(port.attach(memory, 512 << 10, 64 << 10, 64 << 10, 4)).isEqualTo(3);
                for (int slot = 0; slot < 7; slot++) {
                    for (int blocks : new int[] {1, 8, 9, 15, 16, 17, 40}) {
                        cmb.controller.arrived.clear();
                        assertThat(port.submitRead(slot, 5, blocks)).isTrue();
                        port.ring();
                        Bench.drain(cmb, port);
                        FakeController.Arrived r = cmb.controller.arrived.getFirst();
                        long from =
                                memory.busAddress()
                                        + (slot < 3
                                                ? 508 + slot * 20484L
                                                : (512 << 10) + (slot - 3) * 65536L);
                        int pages = (int) (((from & 4095) + blocks * 512L + 4095) / 4096);
                        assertThat(r.pages()).hasSize(pages);
                        assertThat(r.pages().getFirst()).isEqualTo(from);
                        for (int i = 1; i < pages; i++) {
                            assertThat(r.pages().get(i)).isEqualTo((from & -4096) + i * 4096L);
                        }
                    }
                }
            }
        }
        Bench.assertNothingLeft(cmb);
    }

    @Test
    void attachRefusesWhatDoesNotFit() {
        FakeMachine cmb = Bench.withCmb(16);
        try (Controller c = Bench.open(cmb)) {
            c.requireCmb().enable(cmb.dma);
            try (PeerBuffer memory = c.requireCmb().allocate(8192, 4096);
                    NvmeBlockPort port = c.namespace(1).port(1)) {
                assertThatThrownBy(() -> port.attach(memory, 0, 4096, 4096, 3))
                        .hasMessageContaining("end after the buffer of 8192");
                assertThatThrownBy(() -> port.attach(memory, 2, 4096, 4096, 1))
                        .hasMessageContaining("multiples of 4");
                assertThatThrownBy(() -> port.attach(memory, 0, 2 << 20, 4096, 1))
                        .hasMessageContaining("at most 1048576");
                assertThatThrownBy(() -> port.attach(memory, -4, 512, 512, 1))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @Test
    void rangePastTheEndIsARequestError() {
        try (Controller c = Bench.open(m);
                DmaBuffer b = m.dma.allocate(8192)) {
            Namespace ns = c.namespace(1);
            assertThatThrownBy(() -> ns.read(b, 0, 999, 2))
                    .isInstanceOfSatisfying(
                            PeerlaneException.class,
                            e -> assertThat(e.code()).isEqualTo("range-past-end"));
            assertThatThrownBy(() -> ns.writeZeroes(Long.MAX_VALUE, 5))
                    .isInstanceOf(PeerlaneException.class);
            assertThatThrownBy(() -> ns.read(b, 4096, 0, 9))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> ns.read(b, 2, 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(m.controller.io(NvmOpcode.READ)).isEmpty();
    }

    @Test
    void errorStatusIsThrownWhole() {
        m.controller.statusOf =
                c ->
                        c.qid() == 1 && c.slba() == 32
                                ? Status.UNRECOVERED_READ_ERROR | Status.DO_NOT_RETRY
                                : 0;
        m.controller.onIdentifyController = p -> IdentifyController.MDTS.write(p, 2);
        try (Controller c = Bench.open(m);
                DmaBuffer b = m.dma.allocate(64 << 10)) {
            assertThatThrownBy(() -> c.namespace(1).read(b, 0, 0, 128))
                    .isInstanceOfSatisfying(
                            NvmeStatusException.class,
                            e -> {
                                assertThat(e.statusCodeType()).isEqualTo(2);
                                assertThat(e.statusCode()).isEqualTo(0x81);
                                assertThat(e.doNotRetry()).isTrue();
                                assertThat(e.hint()).isNotBlank();
                                assertThat(e.category()).isEqualTo(Category.IO);
                            })
                    .hasMessageContaining("fake:0/n1: Read of 32 blocks at 32 ended with");
            c.namespace(1).read(b, 0, 0, 32);
        }
    }

    @Test
    void unansweredSyncCommandDeletesItsQueue() {
        m.controller.statusOf = c -> c.qid() == 1 ? FakeController.NO_ANSWER : 0;
        try (Controller c = Bench.open(m);
                DmaBuffer b = m.dma.allocate(4096)) {
            assertThatThrownBy(() -> c.namespace(1).read(b, 0, 0, 1))
                    .isInstanceOf(ControllerFault.class)
                    .hasMessageContaining("Read was not answered within 50 ms");
            assertThat(m.log).contains("delete sq");
            m.controller.statusOf = x -> 0;
            c.namespace(1).read(b, 0, 0, 1);
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void commandsWithoutDataAreSplitAndChecked() {
        m.controller.blocks = 10_000;
        m.controller.onIdentifyController = p -> IdentifyController.MDTS.write(p, 8);
        try (Controller c = Bench.open(m)) {
            Namespace ns = c.namespace(1);
            ns.writeZeroes(0, 5000);
            ns.verify(1, 9999);
            ns.deallocate(7, 9000);
            ns.flush();
            assertThat(m.controller.io(NvmOpcode.WRITE_ZEROES))
                    .extracting(FakeController.Arrived::blocks)
                    .containsExactly(2048, 2048, 904);
            assertThat(m.controller.io(NvmOpcode.VERIFY)).hasSize(5);
            FakeController.Arrived dsm = m.controller.io(NvmOpcode.DATASET_MANAGEMENT).getFirst();
            assertThat(dsm.cdw10()).isZero();
            assertThat(dsm.cdw11()).isEqualTo(4);
            assertThat(m.controller.io(NvmOpcode.FLUSH)).hasSize(1);
        }
        m.controller.onIdentifyController = p -> IdentifyController.ONCS.write(p, 0);
        try (Controller c = Bench.open(m)) {
            assertThatThrownBy(() -> c.namespace(1).verify(0, 1))
                    .hasMessageContaining("without the command Verify");
            assertThat(c.namespace(1).port(1).limits().canCompare()).isFalse();
        }
        Bench.assertNothingLeft(m);
    }
}
