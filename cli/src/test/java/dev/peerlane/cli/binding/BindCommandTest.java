package dev.peerlane.cli.binding;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.binding.SystemWriter;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.linux.Errno;
import dev.peerlane.linux.Kernel;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code bind}, {@code unbind} and {@code list} on a directory laid out like a machine. */
class BindCommandTest {
    private static final String A = "0000:01:00.0";
    private static final String B = "0000:02:00.0";

    @TempDir private Path root;
    private final List<String> log = new ArrayList<>();
    private LocalSystem host;

    @BeforeEach
    void machine() throws IOException {
        drive(A, "nvme0", 21);
        drive(B, "nvme1", 22);
        write("proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
        write("proc/swaps", "Filename\n");
        Files.createDirectories(root.resolve("proc/self/ns"));
        Files.createSymbolicLink(root.resolve("proc/self/ns/pid"), Path.of("pid:[4026531836]"));
        Files.createDirectories(root.resolve("sys/bus/pci/drivers/vfio-pci"));
        host = new LocalSystem(root, BindCommandTest::quietDrives, new Acting());
    }

    /** Returns a kernel in which no one else uses the drives and no other device node exists. */
    private static Kernel quietDrives() {
        return (Kernel)
                Proxy.newProxyInstance(
                        Kernel.class.getClassLoader(),
                        new Class<?>[] {Kernel.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "open" ->
                                            ((String) arguments[0]).startsWith("/dev/nvme")
                                                    ? 3L
                                                    : (long) -Errno.ENOENT;
                                    case "ioctl", "close" -> 0L;
                                    default -> (long) -Errno.ENOENT;
                                });
    }

    private void drive(String address, String controller, int group) throws IOException {
        String place = "sys/bus/pci/devices/" + address;
        byte[] config = new byte[256];
        config[9] = 2;
        config[10] = 8;
        config[11] = 1;
        Files.createDirectories(root.resolve(place));
        Files.write(root.resolve(place).resolve("config"), config);
        write(place + "/driver_override", "(null)\n");
        write(place + "/nvme/" + controller + "/model", "Test Drive\n");
        write(place + "/nvme/" + controller + "/serial", "S-" + controller + "\n");
        write(place + "/nvme/" + controller + "/" + controller + "n1/nsid", "1\n");
        write("sys/class/block/" + controller + "n1/size", "2048\n");
        write("sys/class/block/" + controller + "n1/dev", "259:" + group + "\n");
        Files.createDirectories(root.resolve("sys/kernel/iommu_groups/" + group));
        link(place + "/iommu_group", "sys/kernel/iommu_groups/" + group);
        bound(address, "nvme");
    }

    private void write(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text);
    }

    private void link(String path, String target) throws IOException {
        Path link = root.resolve(path);
        Files.createDirectories(root.resolve(target));
        Files.createSymbolicLink(link, link.getParent().relativize(root.resolve(target)));
    }

    private void bound(String address, String driver) throws IOException {
        Files.deleteIfExists(root.resolve("sys/bus/pci/devices/" + address + "/driver"));
        link("sys/bus/pci/devices/" + address + "/driver", "sys/bus/pci/drivers/" + driver);
    }

    private String driver(String address) throws IOException {
        Path link = root.resolve("sys/bus/pci/devices/" + address + "/driver");
        return Files.readSymbolicLink(link).getFileName().toString();
    }

    /** Imitates what Linux does when its files are written. */
    private final class Acting implements SystemWriter {
        @Override
        public void write(Path file, String text) throws IOException {
            log.add(root.relativize(file) + " = " + text.strip());
            if (file.endsWith("driver_override")) {
                Files.writeString(file, text.isBlank() ? "(null)\n" : text);
            } else if (file.endsWith("drivers/nvme/bind")) {
                bound(text.strip(), "nvme");
            } else if (file.endsWith("drivers_probe")) {
                Path override =
                        root.resolve("sys/bus/pci/devices/" + text.strip() + "/driver_override");
                String wanted = Files.readString(override).strip();
                bound(text.strip(), wanted.equals("(null)") ? "nvme" : wanted);
            }
        }

        @Override
        public void load(String module) {
            log.add("modprobe " + module);
        }
    }

    @Test
    void everyFunctionIsListedWithItsUses() throws IOException {
        write("proc/swaps", "Filename\n/dev/nvme1n1 partition 10 0 -2\n");
        Shell run = Shell.on(host, "list");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out().lines())
                .anyMatch(l ->
                        l.matches(
                                A
                                        + " +Test Drive +S-nvme0 +1 MiB +nvme +21 +- +- +unknown"
                                        + " +none +no"))
                .anyMatch(l -> l.matches(B + " .* nvme1n1 is used as swap"))
                .anyMatch(l -> l.contains("peerlane list emu:ssd0 emu:ssd1"));
        JsonNode json = Shell.on(host, "list", "--json").json();
        assertThat(json.get("schema").asText()).isEqualTo("peerlane.machine/1");
        JsonNode b = json.get("functions").get(1);
        assertThat(b.get("address").asText()).isEqualTo(B);
        assertThat(b.get("capacityBytes").asLong()).isEqualTo(1 << 20);
        assertThat(b.get("iommuGroup").asInt()).isEqualTo(22);
        assertThat(b.get("cmbBytes").isNull()).isTrue();
        assertThat(b.get("pmrLimitBytes").isNull()).as("the BARs are unknown").isTrue();
        assertThat(b.get("inUse").get(0).asText()).contains("swap");
        assertThat(json.get("builtIn").get(0).asText()).isEqualTo("emu:ssd0");
    }

    @Test
    void aMachineWithoutDrivesSaysWhatThereIsInstead(@TempDir Path empty) {
        Shell run =
                Shell.on(
                        new LocalSystem(empty, BindCommandTest::quietDrives, new Acting()), "list");
        assertThat(run.status()).isZero();
        assertThat(run.out())
                .contains("This machine has no NVMe functions.")
                .contains("emu:ssd0, emu:ssd1 (peerlane list emu:ssd0 emu:ssd1)")
                .contains("--fabric");
    }

    @Test
    void aDryRunShowsEveryWriteAndMakesNone() throws IOException {
        Shell run = Shell.on(host, "bind", "01:00.0", "--dry-run");
        assertThat(run.status()).as(run.err()).isZero();
        String place = root.resolve("sys/bus/pci/devices/" + A).toString();
        assertThat(run.out())
                .isEqualTo(
                        String.join(
                                "\n",
                                A + " goes from nvme to vfio-pci.",
                                "  echo vfio-pci > " + place + "/driver_override",
                                "  echo " + A + " > " + place + "/driver/unbind",
                                "  echo " + A + " > " + root + "/sys/bus/pci/drivers_probe",
                                "Nothing was written.",
                                ""));
        assertThat(log).isEmpty();
        assertThat(driver(A)).isEqualTo("nvme");
    }

    @Test
    void bindAndUnbindRestoreTheDriver() throws IOException {
        JsonNode there = Shell.on(host, "bind", A, B, "--yes", "--json").json();
        assertThat(there.get("schema").asText()).isEqualTo("peerlane.bind/1");
        assertThat(there.get("result").asText()).isEqualTo("done");
        assertThat(there.get("functions").get(1).get("to").asText()).isEqualTo("vfio-pci");
        assertThat(driver(A)).isEqualTo("vfio-pci");
        assertThat(Shell.on(host, "bind", A, "--yes").out()).isEqualTo("Nothing to do.\n");
        Shell one = Shell.on(host, "unbind", A);
        assertThat(one.out()).isEqualTo(A + " moved from vfio-pci to nvme.\n");
        assertThat(Shell.on(host, "unbind", "--all").out()).startsWith(B).contains("to nvme");
        assertThat(driver(B)).isEqualTo("nvme");
        Shell none = Shell.on(host, "unbind", A);
        assertThat(none.status()).isZero();
        assertThat(none.out()).isEqualTo("Nothing to do.\n");
        assertThat(none.err()).isEqualTo("Note: " + A + " is bound to nvme already.\n");
    }

    @Test
    void aDryRunOfTheWayBackLeavesTheFunctionWhereItIs() throws IOException {
        assertThat(Shell.on(host, "bind", A, "--yes").status()).isZero();
        log.clear();
        Shell run = Shell.on(host, "unbind", A, "--dry-run");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out())
                .startsWith(A + " goes from vfio-pci to nvme.")
                .endsWith("Nothing was written.\n");
        assertThat(log).isEmpty();
        assertThat(driver(A)).isEqualTo("vfio-pci");
        assertThat(Shell.on(host, "unbind", "--all", "--dry-run").out()).startsWith(A);
        assertThat(log).isEmpty();
    }

    @Test
    void allThatBindTookGoesBackToTheOverrideItHadInAnotherProcess() throws IOException {
        write("sys/bus/pci/devices/" + A + "/driver_override", "nvme\n");
        assertThat(Shell.on(host, "bind", A, "--yes").status()).isZero();
        assertThat(root.resolve("state/bound/" + A)).content().contains("override nvme");
        assertThat(Shell.on(host, "unbind", "--all").out()).startsWith(A).contains("to nvme");
        assertThat(root.resolve("sys/bus/pci/devices/" + A + "/driver_override"))
                .hasContent("nvme");
        assertThat(root.resolve("state/bound/" + A)).doesNotExist();
    }

    @Test
    void allIsWhatBindTookAndWhatOthersBoundIsTakenByNameOnly() throws IOException {
        assertThat(Shell.on(host, "bind", A, "--yes").status()).isZero();
        bound(B, "vfio-pci");
        Shell all = Shell.on(host, "unbind", "--all");
        assertThat(all.out()).startsWith(A).doesNotContain(B);
        assertThat(all.err())
                .contains(B + " stays with vfio-pci, because bind did not take it there");
        assertThat(driver(A)).isEqualTo("nvme");
        assertThat(driver(B)).isEqualTo("vfio-pci");
        assertThat(Shell.on(host, "unbind", "--all").out()).isEqualTo("Nothing to do.\n");
        assertThat(Shell.on(host, "unbind", B).out()).startsWith(B).contains("to nvme");
    }

    @Test
    void whatIsWrittenDownOfAnotherDeviceInTheSamePlaceIsNotTakenByAll() throws IOException {
        write("state/bound/" + A, "id 1234:5678\ndriver nvme\n");
        bound(A, "vfio-pci");
        assertThat(Shell.on(host, "unbind", "--all").out()).isEqualTo("Nothing to do.\n");
        assertThat(driver(A)).isEqualTo("vfio-pci");
    }

    @Test
    void withoutAConfirmationNothingIsWritten() throws IOException {
        Shell run = Shell.on(host, "bind", A);
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.err()).contains(A + " goes from nvme to vfio-pci").contains("add --yes");
        assertThat(log).isEmpty();
    }

    @Test
    void whatIsInUseIsRefusedWithStatus3AndADocument() throws IOException {
        write("proc/self/mountinfo", "30 22 259:21 / /data rw - xfs /dev/nvme0n1 rw\n");
        Shell run = Shell.on(host, "bind", A, "--yes", "--shared-ok", "--force-class", "--json");
        assertThat(run.status()).isEqualTo(3);
        assertThat(run.json().get("schema").asText()).isEqualTo("peerlane.error/1");
        assertThat(run.err()).contains("nvme0n1 is mounted on /data").contains("Unmount it");
        assertThat(log).isEmpty();
    }

    @Test
    void onlyAddressesOfThisMachineAreTaken() {
        Shell emulated = Shell.on(host, "bind", "emu:ssd0", "--yes");
        assertThat(emulated.status()).isEqualTo(1);
        assertThat(emulated.err()).contains("not a PCI function of this machine");
        Shell absent = Shell.on(host, "bind", "0000:77:00.0", "--yes");
        assertThat(absent.status()).isEqualTo(2);
        assertThat(absent.err()).contains("no PCI function 0000:77:00.0");
        assertThat(Shell.on(host, "unbind").status()).isEqualTo(1);
        assertThat(Shell.on(host, "unbind", A, "--all").status()).isEqualTo(1);
        assertThat(Shell.on(host, "unbind").err()).contains("use --all");
    }

    @Test
    void aCopyGivesDriversBackHoweverItEnds() throws IOException {
        assertThat(Shell.on(host, "bind", A, "--yes").status()).isZero();
        Shell copy = Shell.on(host, "copy", A, B, "--yes", "--restore-drivers");
        assertThat(copy.status()).as("no such devices exist on this machine").isEqualTo(2);
        assertThat(copy.err()).contains(A + " moved from vfio-pci to nvme.");
        assertThat(driver(A)).isEqualTo("nvme");
        Shell emulated = Shell.on(host, "copy", "emu:ssd0", "emu:ssd1", "--restore-drivers", "-y");
        assertThat(emulated.status()).isEqualTo(1);
        assertThat(emulated.err()).contains("'emu:ssd0' is not a PCI function of this machine");
    }
}
