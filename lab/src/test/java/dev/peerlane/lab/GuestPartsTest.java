package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the parts that build and judge a guest, without a guest. */
class GuestPartsTest {
    @TempDir private Path folder;

    @Test
    void anArchiveHasEveryFolderOnceAndPadsToFourBytes() throws IOException {
        Path file = folder.resolve("a.cpio");
        try (Cpio cpio = Cpio.create(file)) {
            cpio.file("a/b/one", new byte[] {'x', 'y', 'z'}, true);
            cpio.file("a/b/two", new byte[] {}, false);
            cpio.link("a/three", "b/one");
        }
        String text = Files.readString(file, ISO_8859_1);
        assertThat(text.length() % 4).isZero();
        assertThat(text.split("070701", -1)).hasSize(1 + 6);
        // mode and size of a program, a plain file and a link
        assertThat(text).contains("000081ed", "000081a4", "0000a1ff");
        assertThat(text).containsSubsequence("a\0", "a/b\0", "a/b/one\0", "xyz\0", "a/b/two\0");
        assertThat(text).containsSubsequence("a/three\0", "b/one", "TRAILER!!!\0");
        int header = text.indexOf("a/b/one") - 110;
        assertThat(text.substring(header, header + 6)).isEqualTo("070701");
        assertThat(text.substring(header + 54, header + 62)).isEqualTo("00000003");
        assertThat(text.indexOf("xyz") % 4).isZero();
    }

    @Test
    void modulesComeWithAllThatTheyNeed() throws IOException {
        module("vfio-pci", "vfio-pci-core,vfio");
        module("vfio-pci-core", "vfio,irqbypass");
        module("vfio", "");
        module("irqbypass", "");
        module("floppy", "vfio");
        KernelModules modules = new KernelModules(folder);
        assertThat(modules.with(List.of("vfio_pci", "built-in")))
                .extracting(path -> path.getFileName().toString())
                .containsExactlyInAnyOrder(
                        "vfio-pci.ko", "vfio-pci-core.ko", "vfio.ko", "irqbypass.ko");
    }

    private void module(String name, String depends) throws IOException {
        Path file = Files.createDirectories(folder.resolve("kernel")).resolve(name + ".ko");
        Files.writeString(
                file, "\u007fELF\0license=GPL\0depends=" + depends + "\0name=x\0", ISO_8859_1);
    }

    @Test
    void aTestThatBeganAndDidNotEndHasFailed() {
        GuestRun run =
                run(
                        "PEERLANE-TEST good BEGIN",
                        "PEERLANE-TEST good PASS it went well",
                        "PEERLANE-TEST bad BEGIN",
                        "PEERLANE-TEST bad FAIL it did not",
                        "PEERLANE-TEST dead BEGIN");
        assertThat(run.passed("good")).isEqualTo("it went well");
        assertThatThrownBy(() -> run.passed("bad")).hasMessageContaining("it did not");
        assertThatThrownBy(() -> run.passed("dead")).hasMessageContaining("did not end");
        assertThatThrownBy(() -> run.passed("absent")).hasMessageContaining("never ran");
    }

    @Test
    void aFailureIsFinal() {
        GuestRun run =
                run(
                        "PEERLANE-TEST twice FAIL first",
                        "PEERLANE-TEST twice BEGIN",
                        "PEERLANE-TEST twice PASS then");
        assertThatThrownBy(() -> run.passed("twice")).hasMessageContaining("first");
    }

    private GuestRun run(String... lines) {
        Path none = folder.resolve("none");
        return new GuestRun("parts", List.of(lines), none, Map.of(), none, none);
    }
}
