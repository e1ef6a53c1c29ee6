package dev.peerlane.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.pci.PciFunction.Kind;
import dev.peerlane.pci.RootComplex.Trust;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineTest {
    private static final Bdf HOST_A = new Bdf(0, 0, 0, 0);
    private static final Bdf ROOT_A = new Bdf(0, 0, 2, 0);
    private static final Bdf HOST_B = new Bdf(0, 0x80, 0, 0);
    private static final Bdf ROOT_B = new Bdf(0, 0x80, 2, 0);
    private static final Bdf UP = new Bdf(0, 1, 0, 0);
    private static final Bdf DOWN_0 = new Bdf(0, 2, 0, 0);
    private static final Bdf DOWN_1 = new Bdf(0, 2, 1, 0);
    private static final Bdf SSD_0 = new Bdf(0, 3, 0, 0);
    private static final Bdf SSD_1 = new Bdf(0, 4, 0, 0);
    private static final Bdf SSD_2 = new Bdf(0, 0x81, 0, 0);

    private static final Cpu ZEN = new Cpu("AuthenticAMD", 0x17, 0x31, "", false);
    private static final Cpu BULLDOZER = new Cpu("AuthenticAMD", 0x15, 2, "", false);
    private static final Cpu SERVER = new Cpu("GenuineIntel", 6, 0x55, "", false);

    private static PciFunction function(Bdf bdf, Bdf parent, Kind kind, int device, Link link) {
        PciDetails none = PciDetails.NONE;
        PciDetails details = none.in(link, -1, -1, -1, null);
        int classCode = kind == Kind.ENDPOINT ? PciFunction.CLASS_NVME : 0x060400;
        return new PciFunction(
                        bdf, parent, kind, 0x8086, device, classCode, null, false, List.of(), null)
                .with(details);
    }

    /** Creates two drives behind a switch below one host bridge, and one drive below another. */
    private static Machine machine(Cpu cpu, int hostDevice, Link rootLink) {
        List<PciFunction> all = new ArrayList<>();
        Link narrow = new Link(4, 4, 4, 4);
        all.add(function(HOST_A, null, Kind.ENDPOINT, hostDevice, null));
        all.add(function(HOST_B, null, Kind.ENDPOINT, hostDevice, null));
        all.add(function(ROOT_A, null, Kind.ROOT_PORT, 1, rootLink));
        all.add(function(ROOT_B, null, Kind.ROOT_PORT, 1, narrow));
        all.add(function(UP, ROOT_A, Kind.SWITCH_UPSTREAM, 2, rootLink));
        all.add(function(DOWN_0, UP, Kind.SWITCH_DOWNSTREAM, 2, narrow));
        all.add(function(DOWN_1, UP, Kind.SWITCH_DOWNSTREAM, 2, narrow));
        all.add(function(SSD_0, DOWN_0, Kind.ENDPOINT, 3, narrow));
        all.add(function(SSD_1, DOWN_1, Kind.ENDPOINT, 3, narrow));
        all.add(function(SSD_2, ROOT_B, Kind.ENDPOINT, 3, narrow));
        return new Machine(all, cpu);
    }

    @Test
    void theProcessorDecidesIfNoHostBridgeIsListed() {
        Link link = new Link(4, 8, 4, 8);
        Route zen = Route.between(machine(ZEN, 0x1234, link), SSD_0, SSD_2);
        assertThat(zen.peerWrites()).isEqualTo(Verdict.ROOT_TRUSTED);
        assertThat(zen.kernelAllows()).isTrue();
        Route old = Route.between(machine(BULLDOZER, 0x1234, link), SSD_0, SSD_2);
        assertThat(old.peerWrites()).isEqualTo(Verdict.ROOT_TRUSTED);
        assertThat(old.peerReads()).isEqualTo(Verdict.REFUSED);
        assertThat(old.kernelAllows()).isFalse();
        Route server = Route.between(machine(SERVER, 0x1234, link), SSD_0, SSD_2);
        assertThat(server.peerWrites()).isEqualTo(Verdict.ROOT_UNTRUSTED);
        assertThat(server.reason()).contains("8086:1234").contains(HOST_A.toString());
    }

    /** Creates a client machine with drives below three of its root ports. */
    private static Route client(int model, int from, int to) {
        Cpu cpu = new Cpu("GenuineIntel", 6, model, "", false);
        List<PciFunction> all = new ArrayList<>();
        all.add(function(HOST_A, null, Kind.ENDPOINT, 0x1234, null));
        for (int device : List.of(1, 6, 0x1d)) {
            Bdf port = new Bdf(0, 0, device, 0);
            all.add(function(port, null, Kind.ROOT_PORT, 1, null));
            all.add(function(new Bdf(0, device, 0, 0), port, Kind.ENDPOINT, 3, null));
        }
        return Route.between(new Machine(all, cpu), new Bdf(0, from, 0, 0), new Bdf(0, to, 0, 0));
    }

    @Test
    void intelClientsForwardOnlyWritesBetweenTheProcessorsPorts() {
        Route between = client(0x9e, 1, 6);
        assertThat(between.peerWrites()).isEqualTo(Verdict.ROOT_TRUSTED);
        assertThat(between.peerReads()).isEqualTo(Verdict.REFUSED);
        assertThat(between.kernelAllows()).isFalse();
        assertThat(client(0x9e, 1, 0x1d).peerWrites()).isEqualTo(Verdict.ROOT_UNTRUSTED);
        assertThat(client(0x9e, 0x1d, 1).peerWrites()).isEqualTo(Verdict.ROOT_UNTRUSTED);
        assertThat(client(0xa7, 1, 6).peerWrites())
                .as("Rocket Lake was seen to lose writes")
                .isEqualTo(Verdict.ROOT_UNTRUSTED);
    }

    /**
     * Creates two functions of one device, whose only common bridge is the root port above them.
     */
    private static Route functions(int acsControl) {
        PciFunction port = function(ROOT_A, null, Kind.ROOT_PORT, 1, null);
        PciFunction withAcs =
                new PciFunction(
                        ROOT_A,
                        null,
                        port.kind(),
                        port.vendorId(),
                        port.deviceId(),
                        port.classCode(),
                        new Acs(acsControl),
                        false,
                        List.of(),
                        null);
        List<PciFunction> all = new ArrayList<>();
        all.add(function(HOST_A, null, Kind.ENDPOINT, 0x1234, null));
        all.add(withAcs);
        all.add(function(SSD_0, ROOT_A, Kind.ENDPOINT, 3, null));
        all.add(function(new Bdf(0, 3, 0, 1), ROOT_A, Kind.ENDPOINT, 3, null));
        return Route.between(new Machine(all, SERVER), SSD_0, new Bdf(0, 3, 0, 1));
    }

    @Test
    void theCommonBridgeRedirectsToo() {
        assertThat(functions(0).peerWrites()).isEqualTo(Verdict.DIRECT);
        Route redirected = functions(0x1d);
        assertThat(redirected.peerWrites()).isEqualTo(Verdict.REDIRECTED);
        assertThat(redirected.redirecting()).extracting(PciFunction::bdf).containsExactly(ROOT_A);
    }

    @Test
    void listedHostBridgesAreTrustedUnderTheirListedConditions() {
        Link link = new Link(4, 8, 4, 8);
        for (HostBridges.Entry entry : HostBridges.ALLOWED) {
            if (entry.vendorId() != 0x8086) {
                continue;
            }
            Machine machine = machine(SERVER, entry.deviceId(), link);
            RootComplex across = machine.rootComplexBetween(SSD_0, SSD_2);
            RootComplex within = machine.rootComplexBetween(SSD_0, SSD_1);
            assertThat(within.peerReads()).as(entry.name()).isEqualTo(Trust.TRUSTED);
            assertThat(across.peerReads())
                    .as(entry.name())
                    .isEqualTo(entry.sameHostBridgeOnly() ? Trust.UNKNOWN : Trust.TRUSTED);
        }
        assertThat(HostBridges.ALLOWED).anyMatch(HostBridges.Entry::sameHostBridgeOnly);
    }

    @Test
    void aRootPortRepresentsAHostBridgeWithoutADeviceOfItsOwn() {
        List<PciFunction> all = new ArrayList<>();
        all.add(function(ROOT_A, null, Kind.ROOT_PORT, 0x2030, null));
        all.add(function(SSD_0, ROOT_A, Kind.ENDPOINT, 3, null));
        all.add(function(ROOT_B, null, Kind.ENDPOINT, 0x2030, null));
        all.add(function(SSD_2, ROOT_B, Kind.ENDPOINT, 3, null));
        Machine machine = new Machine(all, SERVER);
        assertThat(machine.hostBridge(SSD_0)).isPresent();
        assertThat(machine.hostBridge(SSD_2)).as("neither device 0 nor a root port").isEmpty();
        assertThat(machine.rootComplexBetween(SSD_0, SSD_0).peerReads()).isEqualTo(Trust.TRUSTED);
        assertThat(machine.rootComplexBetween(SSD_0, SSD_2).peerReads()).isEqualTo(Trust.UNKNOWN);
    }

    @Test
    void theNarrowestLinkOfTheRouteCountsAndNoOther() {
        Link x1 = new Link(1, 1, 4, 8);
        Machine machine = machine(ZEN, 0x1234, x1);
        Route direct = Route.between(machine, SSD_0, SSD_1);
        assertThat(direct.bytesPerSecond()).isEqualTo(new Link(4, 4, 4, 4).bytesPerSecond());
        Route across = Route.between(machine, SSD_0, SSD_2);
        assertThat(across.bytesPerSecond()).isEqualTo(250_000_000L);
        assertThat(across.narrowest()).extracting(PciFunction::bdf).isIn(ROOT_A, UP);
    }

    @Test
    void linksAreReadInTheirUnits() {
        BytesConfigSpace config = new BytesConfigSpace();
        config.bytes.putShort(ConfigSpace.STATUS, (short) 0x10);
        config.bytes.put(ConfigSpace.CAPABILITIES, (byte) 0x40);
        config.bytes.putShort(0x40, (short) 0x0010);
        config.bytes.putInt(0x4c, 0x0000_0104);
        config.bytes.putShort(0x52, (short) 0x0013);
        Link link = Link.of(config);
        assertThat(link).isEqualTo(new Link(3, 1, 4, 16));
        assertThat(link.now()).isEqualTo("8 GT/s x1");
        assertThat(link.best()).isEqualTo("16 GT/s x16");
        assertThat(link.bytesPerSecond()).isEqualTo(984_615_384L);
        assertThat(new Link(1, 4, 1, 4).now()).isEqualTo("2.5 GT/s x4");
        assertThat(Link.generationOf("16.0 GT/s PCIe")).isEqualTo(4);
        assertThat(Link.generationOf("2.5 GT/s PCIe")).isEqualTo(1);
        assertThat(Link.generationOf("Unknown speed")).isZero();
    }

    /** PCIe 6.0, 4.2.1 to 4.2.3: 8b/10b, 128b/130b, flits. */
    @ParameterizedTest
    @CsvSource({
        "1, 250000000",
        "2, 500000000",
        "3, 984615384",
        "4, 1969230769",
        "5, 3938461538",
        "6, 7375000000",
        "0, 0",
        "7, 0"
    })
    void bandwidthOfEachGenerationExcludesTheLineCode(int generation, long bytesPerSecond) {
        assertThat(new Link(generation, 1, generation, 1).bytesPerSecond())
                .isEqualTo(bytesPerSecond);
    }

    @Test
    void detailsAreReadFromTheirCapabilities() {
        BytesConfigSpace config = new BytesConfigSpace();
        config.bytes.putShort(ConfigSpace.STATUS, (short) 0x10);
        config.bytes.put(ConfigSpace.CAPABILITIES, (byte) 0x40);
        config.bytes.putShort(0x40, (short) 0x0010);
        config.bytes.putShort(0x42, (short) 0x0162);
        config.bytes.putInt(0x44, 2);
        config.bytes.putShort(0x48, (short) 0x0020);
        config.bytes.putInt(0x54, 7 << 19);
        config.bytes.putInt(0x100, 0x1801_0001);
        config.bytes.putInt(0x104, 0x10);
        config.bytes.putInt(0x110, 0x20);
        config.bytes.putInt(0x180, 0x2001_000f);
        config.bytes.putShort(0x186, (short) 0x8000);
        config.bytes.putInt(0x200, 0x0001_001d);
        config.bytes.putShort(0x206, (short) 1);
        config.bytes.putShort(0x208, (short) 1);
        PciDetails details = PciDetails.of(config);
        assertThat(details.payloadBytes()).isEqualTo(256);
        assertThat(details.maxPayloadBytes()).isEqualTo(512);
        assertThat(details.slot()).isEqualTo(7);
        assertThat(details.uncorrectable()).isEqualTo(0x10);
        assertThat(details.correctable()).isEqualTo(0x20);
        assertThat(details.hasErrors()).isTrue();
        assertThat(details.ats()).isTrue();
        assertThat(details.dpcControl()).isEqualTo(1);
        assertThat(details.dpcStatus()).isEqualTo(1);
        assertThat(details.containsErrors()).isTrue();
        assertThat(details.isContained()).isTrue();
        assertThat(PciDetails.NONE.hasErrors()).isFalse();
    }

    @Test
    void theFirstProcessorIsRead() {
        String text =
                """
                processor\t: 0
                vendor_id\t: AuthenticAMD
                cpu family\t: 23
                model\t\t: 49
                model name\t: AMD EPYC 7502
                flags\t\t: fpu hypervisor sse

                processor\t: 1
                vendor_id\t: Other
                """;
        Cpu cpu = Cpu.parse(text);
        assertThat(cpu).isEqualTo(new Cpu("AuthenticAMD", 0x17, 49, "AMD EPYC 7502", true));
        assertThat(Cpu.parse("nothing")).isNull();
    }

    @Test
    void acsOfAFunctionOnTheRouteRedirectsToo() {
        Machine machine = machine(SERVER, 0x1234, null);
        List<PciFunction> all = new ArrayList<>(machine.functions());
        all.replaceAll(f ->
                f.bdf().equals(SSD_1)
                        ? new PciFunction(
                                SSD_1,
                                DOWN_1,
                                Kind.ENDPOINT,
                                1,
                                2,
                                PciFunction.CLASS_NVME,
                                new Acs(Acs.REQUEST_REDIRECT),
                                false,
                                List.of(),
                                null)
                        : f);
        Route route = Route.between(new Machine(all, SERVER), SSD_0, SSD_1);
        assertThat(route.peerWrites()).isEqualTo(Verdict.REDIRECTED);
        assertThat(route.redirecting()).extracting(PciFunction::bdf).containsExactly(SSD_1);
    }
}
