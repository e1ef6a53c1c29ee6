package dev.peerlane.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.PciFunction.Kind;
import dev.peerlane.pci.RootComplex.Trust;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciTest {
    private static final Bdf ROOT_A = new Bdf(0, 0, 2, 0);
    private static final Bdf ROOT_B = new Bdf(0, 0, 3, 0);
    private static final Bdf UP = new Bdf(0, 1, 0, 0);
    private static final Bdf DOWN_0 = new Bdf(0, 2, 0, 0);
    private static final Bdf DOWN_1 = new Bdf(0, 2, 1, 0);
    private static final Bdf SSD_0 = new Bdf(0, 3, 0, 0);
    private static final Bdf SSD_1 = new Bdf(0, 4, 0, 0);
    private static final Bdf SSD_2 = new Bdf(0, 5, 0, 0);

    private static PciFunction function(Bdf bdf, Bdf parent, Kind kind, Acs acs) {
        int classCode = kind == Kind.ENDPOINT ? PciFunction.CLASS_NVME : 0x060400;
        return new PciFunction(bdf, parent, kind, 1, 2, classCode, acs, false, List.of(), null);
    }

    /** Creates two drives behind a switch below root port A, and one drive below root port B. */
    private static Machine machine(Acs onSwitch, Acs onRoot, Trust writes, Trust reads) {
        List<PciFunction> all = new ArrayList<>();
        all.add(function(ROOT_A, null, Kind.ROOT_PORT, onRoot));
        all.add(function(ROOT_B, null, Kind.ROOT_PORT, onRoot));
        all.add(function(UP, ROOT_A, Kind.SWITCH_UPSTREAM, null));
        all.add(function(DOWN_0, UP, Kind.SWITCH_DOWNSTREAM, onSwitch));
        all.add(function(DOWN_1, UP, Kind.SWITCH_DOWNSTREAM, null));
        all.add(function(SSD_0, DOWN_0, Kind.ENDPOINT, null));
        all.add(function(SSD_1, DOWN_1, Kind.ENDPOINT, null));
        all.add(function(SSD_2, ROOT_B, Kind.ENDPOINT, null));
        return new Machine(all, new RootComplex(writes, reads, "a test"));
    }

    @Test
    void addressesAreReadAndWrittenAsLinuxDoes() {
        assertThat(Bdf.parse("0000:01:1f.7")).isEqualTo(new Bdf(0, 1, 31, 7));
        assertThat(Bdf.parse("ab:00.0")).isEqualTo(new Bdf(0, 0xab, 0, 0));
        assertThat(Bdf.parse("10000:01:00.0").segment()).isEqualTo(0x10000);
        assertThat(new Bdf(0x10000, 1, 2, 3)).hasToString("10000:01:02.3");
        assertThat(new Bdf(0, 1, 2, 3).requesterId()).isEqualTo(0x113);
    }

    @Test
    void invalidAddressIsRefusedByName() {
        for (String bad : List.of("", "1:0.0", "0000:01:20.0", "0000:01:00.8", "xx:00.0")) {
            assertThatThrownBy(() -> Bdf.parse(bad))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("'" + bad + "'");
        }
    }

    @Test
    void behindOneSwitchTrafficIsDirect() {
        Machine machine = machine(null, null, Trust.UNKNOWN, Trust.UNKNOWN);
        Route route = Route.between(machine, SSD_0, SSD_1);
        assertThat(route.peerWrites()).isEqualTo(Verdict.DIRECT);
        assertThat(route.peerReads()).isEqualTo(Verdict.DIRECT);
        assertThat(route.crossesRoot()).isFalse();
        assertThat(route.bridges())
                .extracting(PciFunction::bdf)
                .containsExactly(DOWN_0, UP, DOWN_1);
    }

    @Test
    void redirectOnEitherLegSendsItThroughTheRootComplex() {
        for (int bit : new int[] {1 << 2, 1 << 3, 1 << 5 | 1 << 2}) {
            Machine machine = machine(new Acs(bit), null, Trust.UNKNOWN, Trust.TRUSTED);
            for (Route route :
                    List.of(
                            Route.between(machine, SSD_0, SSD_1),
                            Route.between(machine, SSD_1, SSD_0))) {
                assertThat(route.peerWrites()).isEqualTo(Verdict.REDIRECTED);
                assertThat(route.peerReads()).isEqualTo(Verdict.ROOT_TRUSTED);
                assertThat(route.crossesRoot()).isTrue();
                assertThat(route.reason()).contains(DOWN_0.toString());
            }
        }
    }

    @Test
    void egressControlThatMayBlockTrafficIsRefused() {
        Machine machine = machine(new Acs(1 << 5), null, Trust.TRUSTED, Trust.TRUSTED);
        Route out = Route.between(machine, SSD_0, SSD_1);
        assertThat(out.peerWrites()).isEqualTo(Verdict.REFUSED);
        assertThat(out.peerReads()).isEqualTo(Verdict.REFUSED);
        assertThat(out.reason()).contains(DOWN_0.toString()).contains("(EC)");
        assertThat(Route.between(machine, SSD_1, SSD_0).peerWrites())
                .as("only what comes in at the port is controlled")
                .isEqualTo(Verdict.ROOT_TRUSTED);
    }

    @Test
    void theEgressControlVectorNamesPortsByTheirNumbers() {
        Acs acs = new Acs(0x100, 0x0820, 0x20, 0b0101);
        assertThat(acs.controlsEgress(0)).isTrue();
        assertThat(acs.controlsEgress(1)).isFalse();
        assertThat(acs.controlsEgress(2)).isTrue();
        assertThat(acs.controlsEgress(8)).as("the vector has 8 bits").isTrue();
        assertThat(acs.controlsEgress(-1)).as("a port without number").isTrue();
        assertThat(new Acs(0x100, 0x0020, 0x20, 1L << 63).controlsEgress(63)).isTrue();
        assertThat(new Acs(0x100, 0x0020, 0x20, 0).controlsEgress(64)).as("not read").isTrue();
    }

    @Test
    void otherAcsBitsDoNotRedirect() {
        Machine machine = machine(new Acs(0x53), null, Trust.UNKNOWN, Trust.UNKNOWN);
        assertThat(Route.between(machine, SSD_0, SSD_1).peerWrites()).isEqualTo(Verdict.DIRECT);
    }

    @Test
    void redirectAboveTheCommonBridgeDoesNotMatter() {
        Machine machine = machine(null, new Acs(0x1c), Trust.UNKNOWN, Trust.UNKNOWN);
        assertThat(Route.between(machine, SSD_0, SSD_1).peerWrites()).isEqualTo(Verdict.DIRECT);
    }

    @Test
    void acrossRootPortsTheRootComplexDecidesPerDirection() {
        Route route =
                Route.between(machine(null, null, Trust.TRUSTED, Trust.REFUSED), SSD_0, SSD_2);
        assertThat(route.peerWrites()).isEqualTo(Verdict.ROOT_TRUSTED);
        assertThat(route.peerReads()).isEqualTo(Verdict.REFUSED);
        assertThat(route.peerReads().allowed()).isFalse();
        Route unknown =
                Route.between(machine(null, null, Trust.UNKNOWN, Trust.UNKNOWN), SSD_0, SSD_2);
        assertThat(unknown.peerWrites()).isEqualTo(Verdict.ROOT_UNTRUSTED);
    }

    @Test
    void aDeviceReachesItsOwnMemory() {
        Route route =
                Route.between(machine(null, null, Trust.REFUSED, Trust.REFUSED), SSD_0, SSD_0);
        assertThat(route.peerWrites()).isEqualTo(Verdict.OWN);
        assertThat(route.peerReads().allowed()).isTrue();
    }

    @Test
    void aRouteToADeviceOutsideTheSnapshotIsRefused() {
        Machine machine = machine(null, null, Trust.TRUSTED, Trust.TRUSTED);
        Route route = Route.between(machine, SSD_0, new Bdf(0, 9, 0, 0));
        assertThat(route.peerWrites()).isEqualTo(Verdict.REFUSED);
        assertThat(route.reason()).contains("0000:09:00.0");
    }

    @Test
    void aTreeWithALoopIsWalkedInBoundedTime() {
        PciFunction a = function(ROOT_A, ROOT_B, Kind.ROOT_PORT, null);
        PciFunction b = function(ROOT_B, ROOT_A, Kind.ROOT_PORT, null);
        Machine machine =
                new Machine(List.of(a, b), new RootComplex(Trust.UNKNOWN, Trust.UNKNOWN, "a test"));
        assertThat(machine.bridgesAbove(ROOT_A)).hasSizeLessThanOrEqualTo(64);
    }

    @Test
    void capabilitiesAreFoundAndLoopsEnd() {
        BytesConfigSpace config = new BytesConfigSpace();
        config.bytes.putShort(ConfigSpace.STATUS, (short) 0x10);
        config.bytes.put(ConfigSpace.CAPABILITIES, (byte) 0x40);
        config.bytes.putShort(0x40, (short) 0x6011);
        config.bytes.putShort(0x60, (short) 0x4010);
        assertThat(config.capability(ConfigSpace.CAP_MSIX)).hasValue(0x40);
        assertThat(config.capability(ConfigSpace.CAP_PCI_EXPRESS)).hasValue(0x60);
        assertThat(config.capability(0x05)).isEmpty();
        config.bytes.putInt(0x100, 0x1501_0001);
        config.bytes.putInt(0x150, 0x1001_000d);
        config.bytes.putShort(0x154, (short) 0x5f);
        config.bytes.putShort(0x156, (short) 0x1d);
        assertThat(config.extendedCapability(ConfigSpace.EXT_ACS)).hasValue(0x150);
        assertThat(config.extendedCapability(0x1234)).isEmpty();
        assertThat(Acs.of(config)).isEqualTo(new Acs(0x150, 0x5f, 0x1d, 0));
        assertThat(Acs.of(config).redirects()).isTrue();
    }

    @Test
    void aCapabilityWithRegistersPastTheEndIsIgnored() {
        BytesConfigSpace config = new BytesConfigSpace();
        for (int at : new int[] {0xffc, 0xff0}) {
            config.bytes.putInt(0x100, at << 20 | 0x1_0002);
            for (int id : new int[] {0x0001, ConfigSpace.EXT_ACS, 0x000f, 0x001d}) {
                config.bytes.putInt(at, 0x1_0000 | id);
                PciDetails.of(config);
                Acs.of(config);
                assertThat(config.extendedCapability(id)).isEmpty();
            }
        }
    }

    @Test
    void anAbsentFunctionHasNoCapabilities() {
        BytesConfigSpace config = new BytesConfigSpace();
        for (int i = 0; i < 4096; i += 4) {
            config.store32(i, -1);
        }
        assertThat(config.capability(ConfigSpace.CAP_MSIX)).isEmpty();
        assertThat(config.extendedCapability(ConfigSpace.EXT_ACS)).isEmpty();
    }

    @Test
    void kindAndRelaxedOrderingComeFromThePciExpressCapability() {
        BytesConfigSpace config = new BytesConfigSpace();
        config.bytes.putShort(ConfigSpace.STATUS, (short) 0x10);
        config.bytes.put(ConfigSpace.CAPABILITIES, (byte) 0x40);
        config.bytes.putShort(0x40, (short) 0x0010);
        Kind[] kinds = {
            Kind.ENDPOINT, Kind.ROOT_PORT, Kind.SWITCH_UPSTREAM, Kind.SWITCH_DOWNSTREAM
        };
        int[] types = {0, 4, 5, 6};
        for (int i = 0; i < types.length; i++) {
            config.bytes.putShort(0x42, (short) (types[i] << 4));
            assertThat(PciFunction.kindOf(config)).isEqualTo(kinds[i]);
        }
        assertThat(PciFunction.relaxedOrderingOf(config)).isFalse();
        config.bytes.putShort(0x48, (short) 0x10);
        assertThat(PciFunction.relaxedOrderingOf(config)).isTrue();
    }
}
