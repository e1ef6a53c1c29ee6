package dev.peerlane.fabrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Fabrics;
import dev.peerlane.Locator;
import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FabricsTest {
    @TempDir Path folder;

    private static List<Locator> named(String... names) {
        return Arrays.stream(names).map(Locator::parse).toList();
    }

    private static PeerlaneException refusal(@Nullable Path file, String... names) {
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () -> Fabrics.installed().open(file, named(names)).close());
        assertThat(e).as("%s", List.of(names)).isNotNull();
        assertThat(e).hasMessageContaining(names[names.length - 1]);
        return e;
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("fabric.yaml"), text);
    }

    @Test
    void emulatedDevicesNeedNoFile() {
        try (var fabric = Fabrics.installed().open(null, named("emu:ssd0", "emu:ssd1"))) {
            assertThat(fabric.kind()).isEqualTo("emulator");
            assertThat(fabric.locators()).containsExactly("emu:ssd0", "emu:ssd1");
        }
        try (var fabric = Fabrics.installed().open(null, List.of())) {
            assertThat(fabric.kind()).isEqualTo("emulator");
        }
    }

    @Test
    void fileDecidesWhichDevicesExist() throws IOException {
        Path file = file("kind: emulator\ndrives: [{name: x, size: 1MiB}]");
        try (var fabric = Fabrics.installed().open(file, named("emu:x"))) {
            assertThat(fabric.locators()).containsExactly("emu:x");
        }
        assertThat(refusal(file, "emu:x", "qemu:03:00.0").category()).isEqualTo(Category.REQUEST);
        assertThat(refusal(file, "0000:01:00.0").code()).isEqualTo("other-fabric");
    }

    @Test
    void qemuNeedsAFile() throws IOException {
        assertThat(refusal(null, "qemu:03:00.0").remedy()).contains("kind: qemu");
        Path file = file("kind: qemu\nsocket: no.sock\nram: no.ram");
        PeerlaneException e =
                catchThrowableOfType(
                        PeerlaneException.class,
                        () -> Fabrics.installed().open(file, named("qemu:03:00.0")).close());
        assertThat(e).hasMessageContaining("no.sock");
        assertThat(e.category()).isEqualTo(Category.MACHINE);
    }

    @Test
    void unsupportedFeaturesAreRefusedWithTheReason() {
        for (String name : new String[] {"/dev/nvme0n1", "./f"}) {
            PeerlaneException e = refusal(null, name);
            assertThat(e.category()).isEqualTo(Category.MACHINE);
            assertThat(e).hasMessageContaining("not supported yet");
        }
    }

    @Test
    void aMissingSocketIsReportedByName() {
        PeerlaneException e = refusal(null, "vfio-user:/nowhere/x.sock");
        assertThat(e.category()).isEqualTo(Category.MACHINE);
        assertThat(e)
                .hasMessageContaining("vfio-user:/nowhere/x.sock")
                .hasMessageContaining("ENOENT");
        assertThat(refusal(null, "vfio-user:/" + "x".repeat(110)).category())
                .isEqualTo(Category.REQUEST);
    }

    @Test
    void aPciAddressThatIsNotOnThisMachineIsRefusedByName() {
        PeerlaneException e = refusal(null, "fffe:1f:00.0");
        assertThat(e.category()).isEqualTo(Category.MACHINE);
        assertThat(e.explain()).contains("fffe:1f:00.0");
    }

    @Test
    void devicesOfTwoFabricsAreRefused() {
        assertThat(refusal(null, "emu:ssd0", "qemu:03:00.0").code()).isEqualTo("other-fabric");
    }
}
