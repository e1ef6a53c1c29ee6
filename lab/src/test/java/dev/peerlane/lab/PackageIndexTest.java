package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.peerlane.PeerlaneException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests packages of Debian sid on a machine with another release. */
@Tag("guest")
class PackageIndexTest {
    private static final String CACHE = "peerlane.lab.cache";

    @TempDir private Path folder;

    @Test
    void qemuOfSidRunsWithItsOwnLibraries() {
        List<String> command = new ArrayList<>(SidQemu.command());
        command.addAll(List.of("-M", "q35", "-device", "nvme,help"));
        assertThat(Tool.run(folder, command)).contains("cmb_size_mb");
        String version = PackageIndex.sid().newest("qemu-system-x86").version();
        command.set(command.size() - 4, "--version");
        assertThat(Tool.run(folder, command.subList(0, command.size() - 3)))
                .contains(version.replaceAll("^\\d+:|[+-].*", ""));
    }

    @Test
    void sidsKernelHasP2pdma() {
        try (GuestRun run =
                Guest.named("sid")
                        .kernel(KernelSource.SID)
                        .drive(Drive.named("ssd0").cmbMib(4))
                        .step(
                                """
                                passed release "$(uname -r)"
                                passed p2pmem "$(cat /sys/bus/pci/devices/*/p2pmem/size)"
                                """)
                        .tests("hello")
                        .run()) {
            String wanted = PackageIndex.sid().newestKernel().get(0).name();
            assertThat(wanted).endsWith(run.passed("release"));
            assertThat(run.passed("p2pmem")).isEqualTo("4194304");
            assertThat(run.passed("hello")).startsWith("Java 25");
        }
    }

    @Test
    void saysThatSidCantBeReached() {
        String before = System.getProperty(CACHE);
        System.setProperty(CACHE, folder.toString());
        try {
            assertThatThrownBy(() -> PackageIndex.sid("file:/no/such/archive"))
                    .isInstanceOf(PeerlaneException.class)
                    .hasMessageContaining("Debian sid's package index can't be fetched from")
                    .hasMessageContaining("file:/no/such/archive");
            assertThat(folder).isEmptyDirectory();
        } finally {
            if (before == null) {
                System.clearProperty(CACHE);
            } else {
                System.setProperty(CACHE, before);
            }
        }
    }
}
