package dev.peerlane.cli.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.binding.SystemWriter;
import dev.peerlane.cli.harness.Shell;
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

/** Checks that every command sees only the machine that it is given. */
class LocalSystemTest {
    private static final String DRIVE = "0000:7e:01.0";
    private static final String OTHER = "0000:7e:02.0";

    @TempDir private Path root;
    private final List<String> opened = new ArrayList<>();
    private LocalSystem host;

    @BeforeEach
    void machine() throws IOException {
        write("sys/class/dmi/id/product_name", "Folder 9000\n");
        write("proc/sys/kernel/osrelease", "9.9.9-folder\n");
        for (String address : List.of(DRIVE, OTHER)) {
            String place = "sys/bus/pci/devices/" + address;
            byte[] config = new byte[256];
            config[9] = 2;
            config[10] = 8;
            config[11] = 1;
            Files.createDirectories(root.resolve(place));
            Files.write(root.resolve(place).resolve("config"), config);
            Path group = root.resolve("sys/kernel/iommu_groups/" + address.charAt(9));
            Path driver = root.resolve("sys/bus/pci/drivers/vfio-pci");
            Files.createDirectories(group.resolve("devices"));
            Files.createDirectories(driver);
            Files.createSymbolicLink(root.resolve(place).resolve("iommu_group"), group);
            Files.createSymbolicLink(root.resolve(place).resolve("driver"), driver);
            Files.createSymbolicLink(
                    group.resolve("devices").resolve(address), root.resolve(place));
        }
        host = new LocalSystem(root, this::kernelWithoutNodes, nothingIsWritten());
    }

    private void write(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text);
    }

    private Kernel kernelWithoutNodes() {
        return (Kernel)
                Proxy.newProxyInstance(
                        Kernel.class.getClassLoader(),
                        new Class<?>[] {Kernel.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("open")) {
                                opened.add((String) arguments[0]);
                            }
                            return (long) -Errno.ENOENT;
                        });
    }

    private static SystemWriter nothingIsWritten() {
        return new SystemWriter() {
            @Override
            public void write(Path file, String text) {
                throw new AssertionError("written: " + file);
            }

            @Override
            public void load(String module) {
                throw new AssertionError("loaded: " + module);
            }
        };
    }

    private void assertShown(String... command) {
        Shell run = Shell.on(host, command);
        assertThat(run.out()).as(run.err()).contains(DRIVE, OTHER);
    }

    @Test
    void topologyShowsTheGivenMachine() {
        assertShown("topology", "--json");
    }

    @Test
    void listShowsTheGivenMachine() {
        assertShown("list", "--json");
    }

    @Test
    void theDoctorExaminesTheGivenMachine() {
        assertShown("doctor", DRIVE, OTHER);
        assertThat(Shell.on(host, "doctor").out()).contains(root.toString());
    }

    @Test
    void acsLooksAtTheGivenMachine() {
        Shell run = Shell.on(host, "acs", "show", DRIVE, OTHER, "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.json().get("origin").asText()).isEqualTo(root.toString());
    }

    @Test
    void aCaptureHoldsTheGivenMachine(@TempDir Path elsewhere) {
        Path file = elsewhere.resolve("machine.capture");
        Shell run = Shell.on(host, "capture", file.toString());
        assertThat(run.err()).contains("2 PCI functions, 2 of them NVMe controllers");
        assertThat(run.status()).isZero();
    }

    @Test
    void benchDescribesTheGivenMachine() {
        Shell run =
                Shell.on(host, "bench", "emu:ssd0", "--sweep", "none", "--time", "0.001", "--json");
        assertThat(run.json().at("/machine/kernel").asText())
                .as(run.out())
                .contains("9.9.9-folder");
    }

    @Test
    void devicesAreOpenedByTheGivenKernel() {
        for (String[] command :
                List.of(
                        new String[] {"copy", DRIVE, OTHER, "--dry-run"},
                        new String[] {"list", DRIVE},
                        new String[] {"doctor", DRIVE, OTHER, "--probe"},
                        new String[] {"bench", DRIVE, OTHER})) {
            opened.clear();
            Shell run = Shell.on(host, command);
            assertThat(run.status()).as(run.err()).isBetween(2, 3);
            assertThat(opened).as(run.err()).isNotEmpty();
        }
    }
}
