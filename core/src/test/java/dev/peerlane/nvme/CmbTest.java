package dev.peerlane.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.pci.Bdf;
import dev.peerlane.spec.Vs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsz;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CmbTest {
    private static final long BASE = FakeMachine.BAR2_ADDRESS;

    private static CmbAbsence.Reason absence(FakeMachine m) {
        try (Controller c = Bench.open(m)) {
            assertThat(c.cmb()).isEmpty();
            CmbAbsence absence = c.absence().orElseThrow();
            assertThatThrownBy(c::requireCmb)
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessage("fake:0: " + absence.text());
            return absence.reason();
        }
    }

    @Test
    void everyAbsenceHasItsReason() {
        FakeMachine none = new FakeMachine();
        assertThat(absence(none)).isEqualTo(CmbAbsence.Reason.NO_CMB);
        FakeMachine old = Bench.withCmb(16);
        old.controller.cap = old.controller.cap.withCmbs(false);
        old.controller.vs = Vs.of(1, 1, 0);
        assertThat(absence(old)).isEqualTo(CmbAbsence.Reason.NO_CMB);
        assertThat(absence(Bench.withCmb(0))).isEqualTo(CmbAbsence.Reason.SIZE_ZERO);
        for (int bir : new int[] {1, 6, 7}) {
            FakeMachine m = Bench.withCmb(16);
            m.controller.cmbloc = new Cmbloc(0).withBir(bir);
            assertThat(absence(m)).isEqualTo(CmbAbsence.Reason.BIR_RESERVED);
        }
        FakeMachine unit = Bench.withCmb(16);
        unit.controller.cmbsz = unit.controller.cmbsz.withSzu(7);
        assertThat(absence(unit)).isEqualTo(CmbAbsence.Reason.UNIT_RESERVED);
        FakeMachine bar = Bench.withCmb(16);
        bar.controller.cmbloc = new Cmbloc(0).withBir(4);
        assertThat(absence(bar)).isEqualTo(CmbAbsence.Reason.NO_SUCH_BAR);
        FakeMachine outside = Bench.withCmb(16);
        outside.controller.cmbloc = new Cmbloc(0).withBir(2).withOfst(256);
        assertThat(absence(outside)).isEqualTo(CmbAbsence.Reason.OUTSIDE_BAR);
    }

    @Test
    void cmbRegistersThatAppearWhenTheControllerIsReadyAreRead() {
        FakeMachine m = Bench.withCmb(16);
        m.controller.cmbShownWhenReady = true;
        try (Controller c = Bench.open(m)) {
            assertThat(c.requireCmb().sizeBytes()).isEqualTo(64 << 10);
        }
    }

    @Test
    void windowIsSetAgainAfterAResetThatClearedIt() {
        FakeMachine m = Bench.withCmb(16);
        m.controller.disablingClearsCmbmsc = true;
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            c.reset();
            assertThat(m.controller.cmbWindow()).isEqualTo(BASE);
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void registersAndDoorbellsAreNotMistakenForACmb() {
        for (int page = 0; page < 2; page++) {
            FakeMachine m = Bench.withCmb(16);
            m.controller.cmbloc = new Cmbloc(0).withBir(0).withOfst(page);
            assertThat(absence(m)).isEqualTo(CmbAbsence.Reason.OVER_REGISTERS);
            assertThat(m.violations).isEmpty();
        }
    }

    @Test
    void windowIsSetToTheAddressThatPeersUse() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            assertThat(cmb.isEnabled()).isFalse();
            cmb.enable(m.dma);
            cmb.enable(m.dma);
            assertThat(m.controller.cmbWindow()).isEqualTo(BASE).isEqualTo(cmb.busAddress());
            assertThat(cmb.sizeBytes()).isEqualTo(64 << 10);
            assertThat(new Cmbmsc(CmbField.raw(cmb.describe(), "CMBMSC")).cmse()).isTrue();
        }
        assertThat(m.log).containsSubsequence("map", "cmse on", "disabled", "unmap", "cmse off");
        Bench.assertNothingLeft(m);
    }

    @Test
    void windowLeftByAnEarlierOwnerIsDisabledWithoutMovingIt() {
        FakeMachine m = Bench.withCmb(16);
        m.controller.leftOver(0x7_1234_5000L);
        m.controller.enabledByFormerOwner();
        m.dma.mapAt = 0x9_8765_4000L;
        try (Controller c = Bench.open(m)) {
            assertThat(m.log).containsExactly("disabled", "cmse off");
            c.requireCmb().enable(m.dma);
            assertThat(m.controller.cmbWindow()).isEqualTo(0x9_8765_4000L);
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void refusedAddressIsAFaultAndUnmapped() {
        FakeMachine m = Bench.withCmb(16);
        m.controller.refusesCba = true;
        try (Controller c = Bench.open(m)) {
            assertThatThrownBy(() -> c.requireCmb().enable(m.dma))
                    .isInstanceOf(ControllerFault.class)
                    .hasMessageContaining("CMBSTS 00000001h");
            assertThat(c.requireCmb().isEnabled()).isFalse();
            assertThat(m.mappings).isZero();
            assertThat(m.controller.cmbWindow()).isEqualTo(-1);
        }
    }

    @Test
    void oldCmbIsUsedAtItsBarAddressOnly() {
        for (int minor = 2; minor <= 3; minor++) {
            FakeMachine m = Bench.withCmb(16);
            m.controller.cap = m.controller.cap.withCmbs(false);
            m.controller.vs = Vs.of(1, minor, 0);
            try (Controller c = Bench.open(m)) {
                c.requireCmb().enable(m.dma);
                assertThat(c.requireCmb().busAddress()).isEqualTo(BASE);
                c.requireCmb().disable();
                m.dma.mapAt = 0x1_0000_0000L;
                assertThatThrownBy(() -> c.requireCmb().enable(m.dma))
                        .hasMessageContaining("answers at 0x2000000000 only");
            }
            Bench.assertNothingLeft(m);
        }
    }

    @Test
    void offsetIsInUnitsAndSizeIsClampedToTheBar() {
        FakeMachine m = Bench.withCmb(0);
        m.controller.cmbsz = new Cmbsz(0).withSzu(1).withSz(100);
        m.controller.cmbloc = new Cmbloc(0).withBir(2).withOfst(3);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            assertThat(cmb.barOffset()).isEqualTo(3 << 16);
            assertThat(cmb.sizeBytes()).isEqualTo((1 << 20) - (3 << 16));
            assertThat(cmb.isClamped()).isTrue();
            assertThat(cmb.ownerMayRead()).isFalse();
            assertThat(cmb.ownerMayWrite()).isFalse();
            cmb.enable(m.dma);
            try (PeerBuffer b = cmb.allocate(4096, 4096)) {
                assertThat(b.busAddress()).isEqualTo(BASE + (3 << 16));
                b.store64(8, 0x1122334455667788L);
                assertThat(b.load64(8)).isEqualTo(0x1122334455667788L);
            }
        }
    }

    @Test
    void smallestCmbServes() {
        FakeMachine m = Bench.withCmb(1);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            cmb.enable(m.dma);
            try (PeerBuffer slot = cmb.allocate(2048, 4);
                    PeerBuffer sentinel = cmb.allocate(512, 512)) {
                assertThat(sentinel.busAddress() - slot.busAddress()).isEqualTo(2048);
                assertThat(cmb.largestFreeBytes()).isEqualTo(1536);
                assertThatThrownBy(() -> cmb.allocate(2048, 4))
                        .isInstanceOf(PeerlaneException.class)
                        .hasMessageContaining("1536 in a row");
            }
            assertThat(cmb.largestFreeBytes()).isEqualTo(4096);
        }
    }

    @Test
    void closedBufferIsWipedByDefault() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            cmb.enable(m.dma);
            PeerBuffer a = cmb.allocate(4100, 4096);
            a.fill(0, 4100, 0x5a5a5a5a);
            a.close();
            PeerBuffer again = cmb.allocate(8192, 4096);
            for (long at = 0; at < 8192; at += 8) {
                assertThat(again.load64(at)).isZero();
            }
            again.fill(4, 8, 7);
            again.wipeOnClose(false);
            again.close();
            try (PeerBuffer third = cmb.allocate(64, 64)) {
                assertThat(third.load64(0)).isEqualTo(7L << 32);
            }
        }
    }

    @Test
    void restOfAPieceIsWipedToo() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            cmb.enable(m.dma);
            PeerBuffer first = cmb.allocate(64, 64);
            first.fill(0, 64, -1);
            first.wipeOnClose(false);
            first.close();
            cmb.allocate(4, 4).close();
            try (PeerBuffer again = cmb.allocate(64, 64)) {
                assertThat(again.load64(56)).isZero();
            }
        }
    }

    @Test
    void wipeThatDoesNotTakeIsSaid() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            PeerBuffer a = c.requireCmb().allocate(64, 64);
            a.fill(0, 64, -1);
            m.controller.wipesAreLost = true;
            assertThatThrownBy(a::close)
                    .isInstanceOfSatisfying(
                            ControllerFault.class,
                            e -> assertThat(e.code()).isEqualTo("cmb-not-wiped"));
            assertThat(c.requireCmb().largestFreeBytes()).as("given back").isEqualTo(65536);
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void openBuffersAreWipedWhenTheControllerCloses() {
        FakeMachine m = Bench.withCmb(16);
        PeerBuffer a;
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            a = c.requireCmb().allocate(64, 64);
            a.store64(0, 42);
        }
        assertThat(m.controller.bar2().get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0))
                .isZero();
        assertThatThrownBy(() -> a.load64(0)).isInstanceOf(IllegalStateException.class);
        Bench.assertNothingLeft(m);
    }

    @Test
    void misuseIsRefused() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            assertThatThrownBy(() -> cmb.allocate(64, 64)).hasMessageContaining("not enabled");
            cmb.enable(m.dma);
            PeerBuffer a = cmb.allocate(64, 64);
            assertThatThrownBy(cmb::disable).hasMessageContaining("1 buffers of the CMB are open");
            assertThatThrownBy(cmb::mapWhole).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> a.load64(60)).isInstanceOf(RuntimeException.class);
            assertThatThrownBy(() -> a.load64(64)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> a.fill(2, 4, 0)).isInstanceOf(IllegalArgumentException.class);
            a.close();
            assertThatThrownBy(a::busAddress).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> a.load64(0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> cmb.allocate(6, 4))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> cmb.allocate(8, 12))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(cmb::unmapWhole).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void closingABufferAgainDoesNotAffectTheNextOwnerOfItsBytes() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            cmb.enable(m.dma);
            PeerBuffer first = cmb.allocate(64, 64);
            long address = first.busAddress();
            first.close();
            PeerBuffer next = cmb.allocate(64, 64);
            assertThat(next.busAddress()).as("the same bytes").isEqualTo(address);
            next.store64(0, 42);
            long free = cmb.largestFreeBytes();
            first.close();
            assertThat(next.load64(0)).isEqualTo(42);
            assertThat(cmb.largestFreeBytes()).isEqualTo(free);
            next.close();
        }
    }

    @Test
    void wholeBufferExcludesPieces() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            ControllerMemoryBuffer cmb = c.requireCmb();
            cmb.enable(m.dma);
            PeerBuffer whole = cmb.mapWhole();
            assertThat(whole.sizeBytes()).isEqualTo(65536);
            assertThat(cmb.largestFreeBytes()).isZero();
            assertThatThrownBy(() -> cmb.allocate(64, 64)).isInstanceOf(PeerlaneException.class);
            assertThatThrownBy(cmb::mapWhole).isInstanceOf(IllegalStateException.class);
            cmb.unmapWhole();
            cmb.allocate(64, 64).close();
            cmb.disable();
            assertThat(m.mappings).isZero();
            assertThat(m.log).containsSubsequence("unmap", "cmse off");
        }
    }

    @Test
    void buffersOutliveAResetAtTheSameAddress() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            try (PeerBuffer a = c.requireCmb().allocate(64, 64)) {
                long before = a.busAddress();
                c.reset();
                assertThat(a.busAddress()).isEqualTo(before);
                assertThat(m.controller.cmbWindow()).isEqualTo(before);
                assertThat(m.log).doesNotContain("cmse off");
            }
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void functionResetMapsTheCmbAgainAndEndsBuffersThatMoved() {
        FakeMachine m = Bench.withCmb(16);
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            PeerBuffer a = c.requireCmb().allocate(64, 64);
            m.controller.neverUnready = true;
            c.reset();
            assertThat(m.log).containsSubsequence("unmap", "flr", "map", "cmse on");
            assertThat(a.busAddress()).isEqualTo(BASE);
            m.controller.neverUnready = true;
            m.dma.mapAt = 0x5_0000_0000L;
            c.reset();
            assertThat(m.controller.cmbWindow()).isEqualTo(0x5_0000_0000L);
            assertThatThrownBy(() -> a.load64(0))
                    .isInstanceOf(ControllerFault.class)
                    .hasMessageContaining("moved from 0x2000000000 to 0x500000000");
            a.close();
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void admittedDevicesReachTheCmbAfterAFunctionResetButNotAfterDisabling() {
        FakeMachine m = Bench.withCmb(16);
        Bdf peer = Bdf.parse("05:00.0");
        try (Controller c = Bench.open(m)) {
            c.requireCmb().enable(m.dma);
            try (PeerBuffer a = c.requireCmb().allocate(64, 64)) {
                a.admit(peer);
                m.controller.neverUnready = true;
                m.log.clear();
                c.reset();
                assertThat(m.log)
                        .containsSubsequence("unmap", "flr", "map", "admit " + peer, "cmse on");
            }
            c.requireCmb().disable();
            m.log.clear();
            c.requireCmb().enable(m.dma);
            assertThat(m.log).contains("map").doesNotContain("admit " + peer);
        }
        Bench.assertNothingLeft(m);
    }

    @Test
    void everyFieldIsToldInWords() {
        FakeMachine m = Bench.withCmb(16);
        m.controller.cap = m.controller.cap.withPmrs(true);
        try (Controller c = Bench.open(m)) {
            List<CmbField> fields = c.cmbFields();
            assertThat(fields).hasSizeGreaterThan(35);
            assertThat(fields).allSatisfy(f -> assertThat(f.meaning()).isNotBlank());
            assertThat(fields)
                    .contains(new CmbField("CMBSZ", "SZ", "31:12", 16, "16 units = 64 KiB"))
                    .contains(new CmbField("CMBLOC", "BIR", "2:0", 2, "BAR 2"));
            assertThat(fields).extracting(CmbField::register).contains("PMRCAP", "PMRMSC");
        }
    }

    @Test
    void allocatorKeepsPiecesApartAndMergesFreedOnes() {
        long seed = 20240611;
        Random random = new Random(seed);
        long size = 1 << 18;
        CmbAllocator allocator = new CmbAllocator(size);
        List<long[]> live = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            if (random.nextInt(3) > 0) {
                long bytes = 1L + random.nextInt(9000);
                long align = 1L << random.nextInt(14);
                long base = 0x3000;
                long at = allocator.take(bytes, align, base);
                if (at >= 0) {
                    assertThat((base + at) % align).as("seed %d", seed).isZero();
                    assertThat(at + bytes).isLessThanOrEqualTo(size);
                    for (long[] other : live) {
                        assertThat(at >= other[0] + other[1] || other[0] >= at + bytes)
                                .as("seed %d step %d: apart", seed, i)
                                .isTrue();
                    }
                    live.add(new long[] {at, bytes});
                } else {
                    assertThat(allocator.largestFreeBytes(align, base)).isLessThan(bytes);
                }
                long most = allocator.largestFreeBytes(align, base);
                long all = most > 0 ? allocator.take(most, align, base) : -1;
                if (all >= 0) {
                    allocator.give(all);
                }
                assertThat(all >= 0).as("seed %d step %d", seed, i).isEqualTo(most > 0);
            } else if (!live.isEmpty()) {
                allocator.give(live.remove(random.nextInt(live.size()))[0]);
            }
        }
        for (long[] piece : live) {
            allocator.give(piece[0]);
        }
        assertThat(allocator.largestFreeBytes()).isEqualTo(size).isEqualTo(allocator.freeBytes());
        assertThatThrownBy(() -> allocator.give(0)).isInstanceOf(IllegalStateException.class);
    }
}
