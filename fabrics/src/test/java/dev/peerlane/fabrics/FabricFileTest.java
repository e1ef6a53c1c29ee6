package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Locator;
import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.pci.RootComplex.Trust;
import dev.peerlane.spec.CommandSet;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbswtp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class FabricFileTest {
    private static final Path BASE = Path.of("/base");
    private static final long MIB = 1 << 20;

    private static FabricModel emulator(String text) {
        FabricFile file = FabricFile.parse("f.yaml", text, BASE);
        assertThat(file).isInstanceOf(FabricFile.Emulated.class);
        return ((FabricFile.Emulated) file).model();
    }

    private static PeerlaneException refusal(String text) {
        return catchThrowableOfType(
                PeerlaneException.class, () -> FabricFile.parse("f.yaml", text, BASE));
    }

    private static void assertRefused(String text, int line, String... parts) {
        PeerlaneException e = refusal(text);
        assertThat(e).as(text).isNotNull();
        assertThat(e.category()).isEqualTo(Category.REQUEST);
        assertThat(e).hasMessageStartingWith("fabric file f.yaml, line " + line + ": ");
        assertThat(e.explain()).contains(parts);
    }

    @Test
    void shortFormHasDefaultsForTheRest() {
        FabricModel model =
                emulator(
                        """
                        kind: emulator
                        drives:
                          - {name: a, image: a.img, blockBytes: 512, cmb: {size: 4MiB}}
                          - {name: b, size: 1GiB, blockBytes: 4096, cmb: {size: 16MiB, version: "1.4"}}
                        """);
        DriveModel a = model.drives().get(0);
        DriveModel b = model.drives().get(1);
        assertThat(a.namespaces())
                .containsExactly(NamespaceModel.image(Path.of("/base/a.img"), 512));
        assertThat(b.namespaces()).containsExactly(NamespaceModel.memory(1024 * MIB, 4096));
        assertThat(a.cmb()).isEqualTo(CmbModel.of(4 * MIB));
        assertThat(b.cmb()).isEqualTo(CmbModel.of(16 * MIB));
        assertThat(a.mdts()).isEqualTo(5);
        assertThat(b.controllerId()).isEqualTo(1);
        assertThat(model.ports())
                .containsExactly(PortModel.switchOf(PortModel.drive("a"), PortModel.drive("b")));
        assertThat(model.time()).isEqualTo(FabricModel.Time.REAL);
    }

    @Test
    void theSmallestFileIsADriveWithAName() {
        DriveModel drive = emulator("kind: emulator\ndrives: [{name: x}]").drives().getFirst();
        assertThat(drive.namespaces()).containsExactly(NamespaceModel.memory(1024 * MIB, 512));
        assertThat(drive.cmb()).isNull();
    }

    @Test
    void faultsAreReadWithTheirOccurrences() {
        FabricModel model =
                emulator(
                        """
                        kind: emulator
                        drives: [{name: b}]
                        faults:
                          - {kind: bad-blocks, drive: b, queue: io, opcode: 2, occasion: 3, times: 2}
                          - {kind: late-completion, drive: b, delayMicros: 7}
                          - {kind: allocation}
                          - {kind: sudden-removal, drive: b, occasion: 900}
                          - {kind: compare-lies, drive: b, first: 8, length: 3}
                          - {kind: cmb-hole, drive: b, first: 1024}
                        """);
        assertThat(model.faults())
                .containsExactly(
                        Fault.at(Fault.Kind.BAD_BLOCKS, "b").onIo(2).withOccasion(3).withTimes(2),
                        Fault.at(Fault.Kind.LATE_COMPLETION, "b").withNanos(7_000),
                        Fault.ofHost(Fault.Kind.ALLOCATION),
                        Fault.at(Fault.Kind.SUDDEN_REMOVAL, "b").withOccasion(900),
                        Fault.at(Fault.Kind.COMPARE_LIES, "b").withRange(8, 3),
                        Fault.at(Fault.Kind.CMB_HOLE, "b").withRange(1024, 0));
    }

    @Test
    void invalidFaultsAreRefused() {
        String drives = "kind: emulator\ndrives: [{name: b}]\nfaults:\n";
        assertThatThrownBy(() -> emulator(drives + "  - {kind: status, drive: b}"))
                .hasMessageContaining("a fault of kind STATUS has status 0");
        assertThatThrownBy(() -> emulator(drives + "  - {kind: slow, drive: b, occasion: 0}"))
                .hasMessageContaining("occasion 0");
        assertThatThrownBy(() -> emulator(drives + "  - {kind: slow, drive: b, length: 1}"))
                .hasMessageContaining("a fault of kind SLOW has length 1");
        assertThatThrownBy(() -> emulator(drives + "  - {kind: slow}"))
                .hasMessageContaining("has drive null");
        assertThatThrownBy(() -> emulator(drives + "  - {kind: slow, drive: x}"))
                .hasMessageContaining("a fault is at 'x'");
    }

    @Test
    void fullFormSetsEveryKey() {
        FabricModel model =
                emulator(
                        """
                        kind: emulator
                        seed: -7
                        time: virtual
                        transfers: runs
                        iommu: false
                        unmapped: drops-silently
                        peerReads: other-memory
                        peerWrites: vanish
                        relaxedOrdering: true
                        rootComplex: {peerWrites: trusted, peerReads: refused}
                        drives:
                          - name: a
                            namespaces:
                              - {size: 1MiB, blockBytes: 4KiB, writeProtected: true}
                              - {size: 1MiB, metadataBytes: 8, protectionType: 2}
                              - {size: 65536, commandSet: zoned}
                            serial: S1
                            model: M 1
                            cntlid: 0x12
                            mdts: 8
                            maxQueueEntries: 64
                            ioQueues: 2
                            doorbellStride: 1
                            compare: false
                            volatileWriteCache: false
                            sgls: dwords
                            doorbellBuffer: true
                            bytesPerSecond: 2GiB
                            latencyMicros: 80
                            cmb:
                              size: 12KiB
                              version: 1.2
                              bar: 4
                              unit: 4KiB
                              offset: 3
                              barSize: 16KiB
                              sqs: false
                              cqs: true
                              lists: false
                              rds: false
                              wds: true
                              cqmms: true
                              cdpmls: true
                              cdpcils: true
                              cdmmms: true
                              addressBits: 40
                          - name: b
                        ports:
                          - {drive: a, acs: 0x1d}
                          - acs: [RR, CR]
                            switch:
                              - {acs: [UF, EC], egress: [1, 2], drive: b}
                              - {}
                        """);
        assertThat(model.seed()).isEqualTo(-7);
        assertThat(model.time()).isEqualTo(FabricModel.Time.VIRTUAL);
        assertThat(model.transfers()).isEqualTo(FabricModel.Transfers.RUNS);
        assertThat(model.iommu()).isFalse();
        assertThat(model.unmapped()).isEqualTo(FabricModel.Unmapped.DROPS_SILENTLY);
        assertThat(model.peerReads()).isEqualTo(FabricModel.PeerReads.OTHER_MEMORY);
        assertThat(model.peerWrites()).isEqualTo(FabricModel.PeerWrites.VANISH);
        assertThat(model.relaxedOrdering()).isTrue();
        assertThat(model.rootComplex().peerWrites()).isEqualTo(Trust.TRUSTED);
        assertThat(model.rootComplex().peerReads()).isEqualTo(Trust.REFUSED);
        CmbModel cmb =
                new CmbModel(
                        12 << 10,
                        CmbModel.Version.V1_2,
                        4,
                        4096,
                        3,
                        16 << 10,
                        CmbModel.CQS | CmbModel.WDS,
                        CmbModel.CQMMS | CmbModel.CDPMLS | CmbModel.CDPCILS | CmbModel.CDMMMS,
                        40,
                        0,
                        0);
        assertThat(model.drives().getFirst())
                .isEqualTo(
                        new DriveModel(
                                "a",
                                List.of(
                                        NamespaceModel.memory(MIB, 4096).withWriteProtected(true),
                                        NamespaceModel.memory(MIB, 512).withMetadata(8, 2),
                                        NamespaceModel.memory(65_536, 512)
                                                .withCommandSet(CommandSet.ZONED)),
                                "S1",
                                "M 1",
                                0x12,
                                8,
                                64,
                                2,
                                1,
                                false,
                                false,
                                DriveModel.Sgls.DWORDS,
                                true,
                                2048 * MIB,
                                80_000,
                                cmb));
        assertThat(model.ports())
                .containsExactly(
                        PortModel.drive("a").withAcs(0x1d),
                        PortModel.switchOf(
                                        PortModel.drive("b").withAcs(0x30).withEgress(1, 2),
                                        new PortModel(null, null, List.of()))
                                .withAcs(0xc));
    }

    @Test
    void unknownKeysAreReportedWithTheirLineAndTheAllowedKeys() {
        assertRefused(
                """
                kind: emulator
                drives:
                  - name: a
                    blokBytes: 512
                """,
                4,
                "unknown key 'blokBytes'",
                "Use one of name, image, size, blockBytes");
        assertRefused("kind: emulator\nports: []\nDrives: []\n", 3, "unknown key 'Drives'");
        assertRefused(
                "kind: emulator\ndrives: [{name: a, cmb: {sizes: 1}}]", 2, "'sizes'", "version");
        assertRefused(
                "kind: emulator\ndrives:\n- name: a\nports:\n- drive: a\n  slot: 1\n",
                6,
                "unknown key 'slot'",
                "acs, egress, drive, switch");
    }

    private static String packets(String more) {
        return "kind: emulator\nfabric: packets\n" + more + "\ndrives: [{name: a}, {name: b}]";
    }

    @Test
    void wrongValuesAreReportedWithTheirLineAndARemedy() {
        String[][] cases = {
            {"kind: emulator\nseed: x", "2", "'x' is no seed"},
            {"kind: emulator\niommu: yes", "2", "'yes' is no iommu", "true or false"},
            {"kind: emulator\ntransfers: x", "2", "'x' is no transfers", "pieces, runs"},
            {packets("transfers: runs"), "1", "moves in pieces", "Leave 'transfers' out"},
            {"kind: emulator\ntime: slow", "2", "'slow' is no time", "virtual, real"},
            {"kind: emulator\ndrives: 5", "2", "'drives' is no list"},
            {"kind: emulator\ndrives: [5]", "2", "an item of 'drives' is no mapping"},
            {"kind: emulator\ndrives:\n- size: 1MiB", "3", "'name' is missing"},
            {"kind: emulator\ndrives: [{name: a, size: 4MB}]", "2", "'4MB' is no size", "4MiB"},
            {"kind: emulator\ndrives: [{name: a, size: 0}]", "2", "'0' is no size"},
            {"kind: emulator\ndrives: [{name: a, size: 9999999TiB}]", "2", "is no size"},
            {"kind: emulator\ndrives: [{name: a, blockBytes: 768}]", "2", "768"},
            {"kind: emulator\ndrives:\n- name: a\n  cmb: {size: 5}", "4", "CMB with size 5"},
            {"kind: emulator\ndrives: [{name: a, cmb: {}}]", "2", "'size' is missing"},
            {"kind: emulator\ndrives: [{name: a, cmb: {size: 4MiB, version: 2}}]", "2", "'2'"},
            {"kind: emulator\ndrives: [{name: a, commandSet: ftl}]", "2", "'ftl'"},
            {"kind: emulator\ndrives: [{name: [a]}]", "2", "'name' is no single value"},
            {"kind: emulator\ndrives: [{name: a b}]", "2", "'a b'"},
            {"kind: emulator\ndrives: [{name: a, size: 1MiB, namespaces: []}]", "2", "'size'"},
            {"kind: emulator\ndrives: [{name: a, namespaces: []}]", "2", "no namespace"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{acs: XX}]", "3", "'XX' is no acs"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{acs: 0x80}]", "3", "0x80"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{switch: []}]", "3", "no ports"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{drive: q}]", "1", "'q'"},
            {"kind: emulator", "1", "no drive"},
            {"kind: emulator\nlinks: []\ndrives: [{name: a}]", "1", "'links'", "no packets"},
            {"kind: emulator\nfabric: packets\ntime: real\ndrives: [{name: a}]", "1", "virtual"},
            {"kind: emulator\nfabric: packets\nlinks: [{at: q}]\ndrives: [{name: a}]", "1", "'q'"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{egress: [1]}]", "3", "egress"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{acs: EC, egress: [0]}]", "3", "port 0"},
            {"kind: emulator\ndrives: [{name: a}]\nports: [{acs: EC, egress: [b]}]", "3", "'b'"},
            {"kind: emulator\nsecondWays: []\ndrives: [{name: a}]", "1", "'secondWays'"},
            {packets("secondWays: [{between: [a]}]"), "3", "[a]", "two drives"},
            {packets("secondWays: [{between: [a, a]}]"), "3", "to itself"},
            {packets("secondWays: [{between: [a, q]}]"), "1", "'q'", "not a drive"},
            {packets("secondWays: [{between: [a, b], takes: all}]"), "3", "'all'", "any"},
            {packets("packets: {ats: [q]}"), "1", "'q'", "not a drive"},
            {packets("iommu: false\npackets: {ats: [a]}"), "1", "ats", "IOMMU"},
            {"kind: emulator\nfabric: packets\npackets: {credits: 0}", "3", "credits"},
            {"kind: emulator\nfabric: packets\npackets: {maxPayload: 99}", "3", "99"},
            {"kind: hal9000", "1", "'hal9000' is no kind", "emulator or qemu"},
            {"drives: []", "1", "'kind' is missing"},
            {"", "1", "'kind' is missing"},
            {"- kind: emulator", "1", "the document is no mapping"},
            {"kind: qemu\nram: r", "1", "'socket' is missing"},
            {"kind: qemu\nsocket: s\nram: r\ndrives: []", "4", "unknown key 'drives'"}
        };
        for (String[] c : cases) {
            assertRefused(
                    c[0], Integer.parseInt(c[1]), java.util.Arrays.copyOfRange(c, 2, c.length));
        }
    }

    @Test
    void whatIsNotYamlIsRefusedWithItsLine() {
        assertRefused("kind: emulator\nseed: [1", 2, "not YAML");
        assertRefused("kind: emulator\nkind: qemu", 2, "kind");
        assertRefused("kind: emulator\nseed:\n", 2, "a value is missing");
        assertRefused("kind: emulator\n---\nkind: qemu", 3, "second document");
        assertRefused("a: &x 1\nkind: *x", 2, "aliases");
        assertRefused("kind: " + "[".repeat(60) + "]".repeat(60), 1, "nested too deep");
    }

    @Test
    void qemuIsDescribedBySocketAndRam() {
        FabricFile file =
                FabricFile.parse("f.yaml", "kind: qemu\nsocket: qt.sock\nram: /dev/shm/r", BASE);
        assertThat(file)
                .isEqualTo(new FabricFile.Qemu(Path.of("/base/qt.sock"), Path.of("/dev/shm/r")));
        assertThat(file.kind()).isEqualTo(Locator.Kind.QEMU);
    }

    @Test
    void filesAreReadFromTheirOwnFolder(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("fabric.yaml");
        Files.writeString(file, "kind: emulator\ndrives: [{name: a, image: disk, size: 1MiB}]\n");
        try (var fabric = FabricFile.read(file).open()) {
            assertThat(fabric.locators()).containsExactly("emu:a");
        }
        assertThat(Files.size(folder.resolve("disk"))).isEqualTo(MIB);
        assertThatThrownBy(() -> FabricFile.read(folder.resolve("none")))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> FabricFile.read(folder))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining(Objects.toString(folder));
        Path binary = folder.resolve("binary");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> FabricFile.read(binary)).isInstanceOf(PeerlaneException.class);
    }

    @Test
    void elasticityAndThroughputOfACmbAreRead() {
        String text = "kind: emulator\ndrives: [{name: a, cmb: {size: 64KiB, %s}}]\n";
        CmbModel cmb =
                emulator(
                                text.formatted(
                                        "elasticity: 3KiB, readsBypass: true, sustainedWrites: 2GiB"))
                        .drives()
                        .getFirst()
                        .cmb();
        assertThat(cmb.cmbebs()).isEqualTo(Cmbebs.of(1, true, 3).raw());
        assertThat(cmb.cmbswtp()).isEqualTo(Cmbswtp.of(3, 2).raw());
        assertThat(refusal(text.formatted("elasticity: 16777217")))
                .hasMessageContaining("elasticity")
                .hasMessageContaining("16777217");
        assertThat(refusal(text.formatted("version: \"1.3\", elasticity: 4KiB")))
                .hasMessageContaining("before 1.4");
    }

    @Test
    void endlessDeviceIsReadUpToTheMaximumLengthOnly() {
        assertThatThrownBy(() -> FabricFile.read(Path.of("/dev/zero")))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("longer than 1048576 bytes");
    }

    @Test
    @Timeout(30)
    void pipeThatNobodyWritesToIsRefused(@TempDir Path folder)
            throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        assertThatThrownBy(() -> FabricFile.read(pipe))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("pipe can't be read: a pipe or a socket");
        FabricModel drive =
                FabricModel.builder()
                        .drive(
                                DriveModel.named("a")
                                        .namespace(
                                                NamespaceModel.image(pipe, 512)
                                                        .withWriteProtected(true))
                                        .build())
                        .build();
        assertThatThrownBy(() -> new EmulatedFabric(drive))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("pipe is a folder, a pipe or a socket");
    }
}
