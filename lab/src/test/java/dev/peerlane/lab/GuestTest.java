package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests the guest itself: Linux, its drivers and Java, without Peerlane. */
@Tag("guest")
class GuestTest {
    @AutoClose private static GuestRun run;

    @BeforeAll
    static void boot() {
        run =
                Guest.named("itself")
                        .iommu(39)
                        .drive(Drive.named("ssd0").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd1").behindSwitch("sw").cmbMib(4))
                        .drive(Drive.named("ssd2").cmbMib(4))
                        .prepare((drive, image) -> Data.write(image, 0, Data.random(1, 4096)))
                        .step(
                                """
                                cat /proc/cpuinfo | grep -i phys | head -1; cat /proc/iomem | grep -i -E 'nvme|pci'
                                controllers=$(cat /sys/class/nvme/*/serial | tr -d '\\n')
                                sectors=$(cat /sys/block/nvme*n1/size | tr '\\n' ' ')
                                passed controllers "$controllers"
                                passed namespaces "$sectors"
                                function=$(basename $(readlink /sys/class/nvme/nvme0/device))
                                modprobe vfio-pci
                                echo vfio-pci >/sys/bus/pci/devices/$function/driver_override
                                echo $function >/sys/bus/pci/devices/$function/driver/unbind
                                echo $function >/sys/bus/pci/drivers_probe
                                group=$(basename $(readlink /sys/bus/pci/devices/$function/iommu_group))
                                if [ -c /dev/vfio/$group ]; then
                                  passed group "$(ls /dev/vfio | tr '\\n' ' ')"
                                else
                                  failed group "there is no /dev/vfio/$group"
                                fi
                                """)
                        .tests("hello")
                        .run();
    }

    @Test
    void linuxSeesThreeControllersAndTheirNamespaces() {
        assertThat(run.passed("controllers").split(" +")).contains("ssd0", "ssd1", "ssd2");
        assertThat(run.passed("namespaces").split(" ")).containsOnly("32768").hasSize(3);
    }

    @Test
    void aFunctionMovesToVfioPciAndItsGroupAppears() {
        assertThat(run.passed("group")).contains("vfio");
    }

    @Test
    void javaRuns() throws IOException {
        assertThat(run.passed("hello")).startsWith("Java 25");
        assertThat(Files.size(run.console())).isPositive();
    }
}
