package dev.peerlane.copy.planning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.engine.FakeWorld;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex;
import dev.peerlane.pci.RootComplex.Trust;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the rule on values that no emulated fabric has, and on unknown ones. */
class FitnessTest {
    private static final Bdf SOURCE = FakeWorld.SOURCE;
    private static final Bdf TARGET = FakeWorld.TARGET;

    private static Party party(Bdf bdf, int blockBytes, @Nullable Boolean relaxed) {
        return new Party("" + bdf, bdf, blockBytes, 0, true, relaxed);
    }

    private static Demand demand(int sourceBlock, int targetBlock) {
        return new Demand(
                party(SOURCE, sourceBlock, false),
                party(TARGET, targetBlock, false),
                FenceChoice.AUTO,
                0,
                0);
    }

    private static Carrier cmb(long freeBytes, @Nullable Boolean overtaken) {
        return new Carrier("t", TARGET, freeBytes, true, true, overtaken);
    }

    private static Machine machine() {
        return new FakeWorld(1).machine();
    }

    private static Machine with(Bdf bdf, int payload, PciFunction.BarWindow... bars) {
        List<PciFunction> all = new ArrayList<>();
        for (PciFunction f : machine().functions()) {
            boolean it = f.bdf().equals(bdf);
            all.add(
                    new PciFunction(
                            f.bdf(),
                            f.parent(),
                            f.kind(),
                            f.vendorId(),
                            f.deviceId(),
                            f.classCode(),
                            f.acs(),
                            false,
                            it || f.bdf().equals(TARGET) ? List.of(bars) : List.of(),
                            null,
                            payload(it ? payload : 128)));
        }
        return new Machine(all, new RootComplex(Trust.TRUSTED, Trust.TRUSTED, "a test"));
    }

    private static PciDetails payload(int bytes) {
        return new PciDetails(
                4096, null, null, bytes, bytes, null, 0, 0, -1, -1, -1, -1, -1, -1, -1, null);
    }

    @Test
    void aPacketLongerThanItsRouteAcceptsIsNotSent() {
        Fitness alike = Fitness.of(with(SOURCE, 128), demand(512, 512), cmb(1 << 20, false));
        assertThat(alike.fits()).as("%s", alike.against()).isTrue();
        Fitness longer = Fitness.of(with(SOURCE, 512), demand(512, 512), cmb(1 << 20, false));
        assertThat(longer.against())
                .singleElement()
                .extracting(Fitness.Reason::coded)
                .asString()
                .contains(SOURCE + " sends up to 512 bytes", "takes 128 [payload-mismatch]");
    }

    @Test
    void aMemoryAtTheAddressOfAnotherIsNotUsed() {
        PciFunction.BarWindow bar = new PciFunction.BarWindow(2, 0x1000_0000L, 1 << 20);
        Fitness fitness =
                Fitness.of(with(FakeWorld.THIRD, 128, bar), demand(512, 512), cmb(1 << 20, false));
        assertThat(fitness.has(Unfit.ADDRESSES)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        // blocks of source and target, free bytes, whether loads overtake: the fence, or the code
        "512, 512, 1024, true, SENTINEL",
        "512, 512, 1023, true, cmb-small",
        "512, 512, 1023, false, READBACK",
        "512, 512, 511, false, cmb-small",
        "512, 4096, 8192, true, SENTINEL",
        "4096, 512, 8191, true, cmb-small",
        "16384, 512, 16384, false, READBACK",
        "16384, 512, 16383, false, cmb-small",
        "512, 16384, 32768, true, SENTINEL",
    })
    void theLargerBlockCountsOnWhicheverSideItIs(
            int source, int target, long free, boolean overtaken, String expected) {
        Fitness f = Fitness.of(machine(), demand(source, target), cmb(free, overtaken));
        assertThat(f.fits() ? f.fence().name() : f.against().getFirst().unfit().code())
                .isEqualTo(expected);
        assertThat(f.unknown()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"511, false, 0", "4096, true, 1", "131072, true, 0", "-1, true, 1"})
    void whatNobodyLookedAtIsUnknown(long free, boolean fits, int unknown) {
        Fitness f = Fitness.of(machine(), demand(0, 0), cmb(free, true));
        assertThat(f.fits()).as("%s", f).isEqualTo(fits);
        assertThat(f.unknown()).hasSize(unknown);
    }

    @Test
    void aKnownMemoryComesBeforeAnUnknownOneAndBothBeforeNone() {
        Fitness known = Fitness.of(machine(), demand(512, 512), cmb(512, false));
        Fitness unknown = Fitness.of(machine(), demand(512, 512), Carrier.unknown("t", TARGET));
        Fitness none = Fitness.of(machine(), demand(512, 512), cmb(0, false));
        assertThat(List.of(none, unknown, known).stream().sorted(Fitness.BEST_FIRST).toList())
                .containsExactly(known, unknown, none);
        assertThat(none.has(Unfit.ABSENT)).isTrue();
    }

    @Test
    void relaxedOrderingBarsOnlyWhereItStaysOn() {
        for (Boolean relaxed : new Boolean[] {null, false, true}) {
            Demand demand =
                    new Demand(
                            party(SOURCE, 512, relaxed),
                            party(TARGET, 512, false),
                            FenceChoice.AUTO,
                            0,
                            0);
            Fitness fitness = Fitness.of(machine(), demand, cmb(1 << 20, false));
            assertThat(fitness.fits()).isEqualTo(!Boolean.TRUE.equals(relaxed));
        }
    }

    @Test
    void aRequestedChunkLengthIsRequired() {
        Demand demand =
                new Demand(
                        party(SOURCE, 512, false),
                        party(TARGET, 512, false),
                        FenceChoice.SENTINEL,
                        65_536,
                        0);
        assertThat(Fitness.of(machine(), demand, cmb(65_536, true)).against())
                .singleElement()
                .extracting(Fitness.Reason::words)
                .isEqualTo("65536 bytes are free, 66048 are needed");
    }
}
