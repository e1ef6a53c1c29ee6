package dev.peerlane.cli.devices;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.harness.Shell;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code list}, {@code identify} and {@code cmb}. */
class InspectionTest {
    @TempDir private Path folder;

    private String fabric;

    @BeforeEach
    void makeFabric() {
        Drives drives = new Drives(folder);
        fabric =
                drives.fabric(
                        """
                        kind: emulator
                        drives:
                          - {name: a, image: a.img, serial: SA, model: Small, cmb: {size: 4MiB, elasticity: 64KiB, readsBypass: true, sustainedWrites: 3GiB}}
                          - name: b
                            namespaces:
                              - {image: b.img, blockBytes: 4096}
                              - {size: 1MiB, metadataBytes: 8}
                              - {size: 1MiB, commandSet: zoned}
                              - {size: 1MiB, commandSet: kv}
                          - {name: c, size: 1MiB, cmb: {size: 64KiB, version: "1.2", rds: false}}
                        """);
    }

    private Shell run(String... args) {
        return Shell.run(Drives.with(fabric, args));
    }

    @Test
    void theListHasEveryDeviceAndNamespace() {
        Shell run = run("list");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out().lines())
                .anyMatch(l -> l.matches("emu:a +0000:.* Small +SA .* 4 MiB +n1: 2 MiB in 4096.*"))
                .anyMatch(l -> l.matches("emu:b .* none +n1: 2 MiB in 512 blocks of 4096 bytes"))
                .anyMatch(l -> l.matches(" +n2: .*not usable: emu:b/n2 has 8 bytes of metadata.*"))
                .anyMatch(l -> l.matches(" +n3: .*Zoned Namespace.*"))
                .anyMatch(l -> l.matches(" +n4: Key Value.*"))
                .anyMatch(l -> l.matches("emu:c .* 64 KiB +n1: 1 MiB.*"));
    }

    @Test
    void theListInJsonHasSizesAsNumbers() {
        JsonNode list = run("list", "--json").json();
        assertThat(list.get("schema").asText()).isEqualTo("peerlane.list/1");
        assertThat(list.get("fabric").asText()).isEqualTo("emulator");
        assertThat(list.get("devices")).hasSize(3);
        JsonNode a = list.get("devices").get(0);
        assertThat(a.get("locator").asText()).isEqualTo("emu:a");
        assertThat(a.get("address").asText()).matches("0000:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");
        assertThat(a.get("model").asText()).isEqualTo("Small");
        assertThat(a.get("serial").asText()).isEqualTo("SA");
        assertThat(a.get("firmware").asText()).isNotEmpty();
        assertThat(a.get("cmbBytes").asLong()).isEqualTo(4 << 20);
        assertThat(a.get("namespaces").get(0).get("sizeBytes").asLong()).isEqualTo(Drives.BYTES);
        assertThat(a.get("namespaces").get(0).get("unusable").isNull()).isTrue();
        JsonNode b = list.get("devices").get(1);
        assertThat(b.get("cmbBytes").isNull()).isTrue();
        assertThat(b.get("cmbAbsence").asText()).isNotEmpty();
        assertThat(b.get("namespaces").get(3).get("sizeBytes").isNull()).isTrue();
    }

    @Test
    void onlyTheNamedDevicesAreListed() {
        JsonNode list = run("list", "emu:c", "--json").json();
        assertThat(list.get("devices")).hasSize(1);
        assertThat(list.get("devices").get(0).get("locator").asText()).isEqualTo("emu:c");
    }

    @Test
    void aDeviceThatCantBeListedIsListedWithTheReason() {
        Shell run = run("list", "emu:c", "emu:z");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).contains("emu:c").containsPattern("emu:z +failed: .*no device emu:z");
        assertThat(run.err()).contains("emu:z");
        JsonNode failed = run("list", "emu:z", "--json").json().get("devices").get(0);
        assertThat(failed.get("error").get("code").asText()).isEqualTo("no-such-device");
        assertThat(failed.get("serial").isNull()).isTrue();
    }

    @Test
    void theBuiltInFabricIsListedByName() {
        Shell run = Shell.run("list", "emu:ssd0", "emu:ssd1");
        assertThat(run.status()).isZero();
        assertThat(run.out().lines()).filteredOn(l -> l.startsWith("emu:ssd")).hasSize(2);
        assertThat(Shell.run("list").out()).contains("peerlane list emu:ssd0 emu:ssd1");
    }

    @Test
    void identifyExplainsTheFieldsOfAController() {
        Shell run = run("identify", "emu:b");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("Controller emu:b at 0000:")
                .containsPattern("ONCS +0x[0-9a-f]+ +Compare, ")
                .containsPattern("MDTS +5 +up to 128 KiB a command")
                .containsPattern("VWC +0x7 +volatile write cache")
                .contains("Namespace n1, NVM command set")
                .containsPattern("NSZE +512 +blocks")
                .containsPattern("0: +4096 bytes +no metadata +best performance, in use")
                .contains("Namespace n3, Zoned Namespace command set")
                .contains("Namespace n4, Key Value command set");
    }

    @Test
    void oneNamespaceCanBeSelected() {
        JsonNode found = run("identify", "emu:b/n2", "--json").json();
        assertThat(found.get("schema").asText()).isEqualTo("peerlane.identify/1");
        assertThat(found.get("controller").get("locator").asText()).isEqualTo("emu:b");
        assertThat(found.get("namespaces")).hasSize(1);
        JsonNode space = found.get("namespaces").get(0);
        assertThat(space.get("nsid").asInt()).isEqualTo(2);
        assertThat(space.get("formats").get(0).get("metadataBytes").asInt()).isEqualTo(8);
        assertThat(space.get("formats").get(0).get("used").asBoolean()).isTrue();
        assertThat(names(found.get("controller").get("fields")))
                .contains("SN", "MN", "FR", "MDTS", "ONCS", "OACS", "NN", "VWC", "SGLS", "SUBNQN");
        assertThat(names(space.get("fields"))).contains("NSZE", "FLBAS", "DPS", "NSATTR");
    }

    private static List<String> names(JsonNode fields) {
        List<String> names = new ArrayList<>();
        fields.forEach(f -> names.add(f.get("name").asText()));
        return names;
    }

    @Test
    void theCmbIsShownWithEveryField() {
        Shell run = run("cmb", "emu:a");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("has a CMB of 4 MiB")
                .containsPattern("address +0x[0-9a-f]+ for every device of the fabric")
                .contains("data of its Reads (RDS)")
                .containsPattern("CMBSZ +SQS +0 +0x1 +holds submission queues")
                .containsPattern("SZU +11:8 +0x2 +units of 1 MiB")
                .containsPattern("CMSE +1 +0x1 +the CMB answers at CBA")
                .containsPattern("CMBRBB +4 +0x1 +a read overtakes buffered writes")
                .containsPattern("CMBWBZ +31:8 +0x40 +64 KiB")
                .containsPattern("CMBSWTV +31:8 +0x3 +3 GiB")
                .containsPattern("PMRS +56 +0x0 +no persistent memory region");
    }

    @Test
    void aCmbOfVersion12IsShownToo() {
        JsonNode cmb = run("cmb", "emu:c", "--json").json();
        assertThat(cmb.get("schema").asText()).isEqualTo("peerlane.cmb/1");
        assertThat(cmb.get("usable").asBoolean()).isTrue();
        assertThat(cmb.get("sizeBytes").asLong()).isEqualTo(64 << 10);
        assertThat(cmb.get("busAddress").asText()).startsWith("0x");
        assertThat(cmb.get("holds").get("readData").asBoolean()).isFalse();
        assertThat(cmb.get("holds").get("writeData").asBoolean()).isTrue();
        List<String> registers = new ArrayList<>();
        cmb.get("fields").forEach(f -> registers.add(f.get("register").asText()));
        assertThat(registers).contains("CMBLOC", "CMBSZ").doesNotContain("CMBMSC");
    }

    @Test
    void aDeviceWithoutACmbSaysWhy() {
        Shell run = run("cmb", "emu:b");
        assertThat(run.status()).isZero();
        assertThat(run.out()).contains("has no usable CMB").contains("why not");
        JsonNode cmb = run("cmb", "emu:b", "--json").json();
        assertThat(cmb.get("usable").asBoolean()).isFalse();
        assertThat(cmb.get("absence").asText()).isNotEmpty();
        assertThat(cmb.get("sizeBytes").isNull()).isTrue();
        assertThat(cmb.get("fields")).isNotEmpty();
    }

    @Test
    void aMissingDeviceGivesAnErrorDocument() {
        Shell run = run("cmb", "emu:z", "--json");
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.json().get("schema").asText()).isEqualTo("peerlane.error/1");
        assertThat(run.json().get("exitStatus").asInt()).isEqualTo(2);
        assertThat(run.json().get("error").get("code").asText()).isEqualTo("no-such-device");
        assertThat(run.err()).contains("emu:z");
    }

    @Test
    void aRangeWhereADeviceIsMeantIsRefused() {
        assertThat(run("identify", "emu:a@0+1").err()).contains("names a range of blocks");
        assertThat(run("identify", "emu:a@0+1").status()).isEqualTo(1);
        assertThat(run("cmb", "emu:a/n1").err()).contains("is more than a device");
        assertThat(run("cmb", "emu:a/n1").status()).isEqualTo(1);
        assertThat(run("identify", "emu:a/n9").status()).isEqualTo(1);
    }
}
