package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Locator.Kind;
import dev.peerlane.PeerlaneException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocatorTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "emu:ssd0, EMULATOR, emu:ssd0",
        "emu:a-b_c.1, EMULATOR, emu:a-b_c.1",
        "qemu:03:00.0, QEMU, qemu:03:00.0",
        "qemu:0000:0A:1F.7, QEMU, qemu:0a:1f.7",
        "0000:01:00.0, VFIO, 0000:01:00.0",
        "AB:00.0, VFIO, 0000:ab:00.0",
        "10000:01:00.0, VFIO, 10000:01:00.0",
        "vfio-user:/tmp/x.sock, VFIO_USER, vfio-user:/tmp/x.sock",
        "vfio-user:/tmp//x.sock, VFIO_USER, vfio-user:/tmp/x.sock",
        "/dev/nvme0n1, KERNEL, /dev/nvme0n1",
        "./a.img, KERNEL, ./a.img",
        "dir/a:b, KERNEL, dir/a:b"
    })
    void everyFormIsKnown(String name, Kind kind, String text) {
        assertThat(Locator.parse(name)).isEqualTo(new Locator(kind, text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ssd0",
                "emu:",
                "emu:a b",
                "qemu:",
                "qemu:1",
                "qemu:0001:00:00.0",
                "01:00",
                "01:20.0",
                "01:00.8",
                "vfio-user:",
                "nvme:/x",
                "0000:01:00.0/x"
            })
    void everythingElseIsRefusedByName(String name) {
        PeerlaneException e =
                catchThrowableOfType(PeerlaneException.class, () -> Locator.parse(name));
        assertThat(e.category()).isEqualTo(Category.REQUEST);
        assertThat(e).hasMessageContaining("'" + name + "'");
        assertThat(e.remedy()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource({
        "emu:ssd0, emu:ssd0,,,",
        "emu:ssd0/n1, emu:ssd0, 1,,",
        "0000:01:00.0/n1@0+2048, 0000:01:00.0, 1, 0, 2048",
        "01:00.0@16, 0000:01:00.0,, 16,",
        "emu:a@0x10+0x20, emu:a,, 16, 32",
        "/dev/nvme0n1@5+6, /dev/nvme0n1,, 5, 6",
        "/data/n1, /data/n1,,,",
        "vfio-user:/tmp/n/n2@1+1, vfio-user:/tmp/n, 2, 1, 1",
        "emu:a/n4294967294, emu:a, -2,,",
        "vfio-user:/x/null, vfio-user:/x/null,,,",
        "vfio-user:/x/nvme0, vfio-user:/x/nvme0,,,",
        "vfio-user:/x/nvme0@8+9, vfio-user:/x/nvme0,, 8, 9",
        "vfio-user:/x/nvme0/n3@8, vfio-user:/x/nvme0, 3, 8,",
        "vfio-user:/x/n0x10, vfio-user:/x, 16,,",
        "vfio-user:/x/n, vfio-user:/x/n,,,",
        "/x/nvme0, /x/nvme0,,,"
    })
    void rangesAreReadInAllTheirParts(
            String text, String device, Integer nsid, Long slba, Long blocks) {
        assertThat(Extent.parse(text)).isEqualTo(new Extent(device, nsid, slba, blocks));
    }

    @ParameterizedTest
    @CsvSource({
        "emu:a/n0, '0'",
        "emu:a/nx, '/nx'",
        "emu:a/null, '/null'",
        "0000:01:00.0/n1/n2@0+1, '/n1/n2'",
        "emu:a/n4294967295, '4294967295'",
        "emu:a@+5, ''",
        "emu:a@-1, '-1'",
        "emu:a@1+0, '0'",
        "emu:a@1+, ''",
        "emu:a@1+9999999999999999999, '9999999999999999999'",
        "emu:a@1.5+1, '1.5'"
    })
    void wrongPartsOfARangeAreNamed(String text, String part) {
        assertThatThrownBy(() -> Extent.parse(text))
                .isInstanceOf(PeerlaneException.class)
                .hasMessageContaining("'" + part + "' in '" + text + "'");
    }

    @ParameterizedTest
    @CsvSource({
        // the paths that exist, the text, device, namespace, range
        "'n1', n1, n1,,,",
        "'n1', n1@0+8, n1,, 0, 8",
        "'n1', n1/n2, n1, 2,,",
        "'ssd/cntrl', ssd/n1, ssd, 1,,",
        "'ssd/n1', ssd/n1, ssd/n1,,,",
        "'ssd/n1/cntrl', ssd/n1@5, ssd/n1,, 5,",
        "'ssd@1', ssd@1, ssd@1,,,",
        "'ssd@1', ssd@1/n2@3+4, ssd@1, 2, 3, 4",
        "'ssd@1+2', ssd@1+2, ssd@1+2,,,"
    })
    void whatExistsIsMeant(
            String there, String text, String device, Integer nsid, Long slba, Long blocks)
            throws IOException {
        make(there);
        assertThat(Extent.parse(inFolder(text)))
                .isEqualTo(new Extent(inFolder(device), nsid, slba, blocks));
    }

    @ParameterizedTest
    @CsvSource({
        "ssd/cntrl ssd/n1, ssd/n1, ssd/n1, namespace 1 of ssd",
        "ssd ssd@1, ssd@1, ssd@1, a range of ssd",
        "ssd/cntrl ssd/n1, ssd/n1@0+1, a range of ssd/n1, a range of namespace 1 of ssd"
    })
    void whereTwoReadingsExistBothAreNamed(String there, String text, String one, String other)
            throws IOException {
        for (String name : there.split(" ", -1)) {
            make(name);
        }
        assertThatThrownBy(() -> Extent.parse(inFolder(text)))
                .isInstanceOf(PeerlaneException.class)
                .hasMessage(
                        "'%s' can mean %s, or %s, and both exist"
                                .formatted(inFolder(text), named(one), named(other)))
                .extracting(e -> ((PeerlaneException) e).code())
                .isEqualTo("two-readings");
    }

    private void make(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        if (Files.notExists(file)) {
            Files.createFile(file);
        }
    }

    private String inFolder(String name) {
        return "vfio-user:" + folder + "/" + name;
    }

    private String named(String words) {
        int name = words.lastIndexOf(' ') + 1;
        return words.substring(0, name) + inFolder(words.substring(name));
    }

    @Test
    void extentsPrintAsTheyAreRead() {
        for (String text :
                new String[] {
                    "emu:a", "emu:a/n3", "emu:a/n3@7", "emu:a@7+8", "emu:a/n4294967294"
                }) {
            assertThat(Extent.parse(text)).hasToString(text);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0000:01:00.0-1-0-2048, 0000:01:00.0, 1, 0, 2048",
        "emu:ssd-a-1-2-3, emu:ssd-a, 1, 2, 3",
        "emu:a-b-c-9-0-1, emu:a-b-c, 9, 0, 1"
    })
    void cmbCopyArgumentsAreReadFromTheRight(
            String text, String device, int nsid, long slba, long blocks) {
        assertThat(Extent.parseCmbCopy(text)).isEqualTo(new Extent(device, nsid, slba, blocks));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "emu:a",
                "emu:a-1-0",
                "emu:a-1-0-0",
                "emu:a-0-0-1",
                "emu:a-1--1",
                "emu:a-1-x-1",
                "-1-0-1",
                "ssd-1-0-1"
            })
    void wrongCmbCopyArgumentsAreRefused(String text) {
        assertThatThrownBy(() -> Extent.parseCmbCopy(text))
                .isInstanceOf(PeerlaneException.class)
                .extracting(e -> ((PeerlaneException) e).category())
                .isEqualTo(Category.REQUEST);
    }
}
