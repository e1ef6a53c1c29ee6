package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.lab.guest.DoorbellStores;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checks in QEMU's trace that a doorbell store of {@link dev.peerlane.mem.Mmio} reaches the device
 * as one write of 4 bytes without a read, in the interpreter and with both compilers.
 */
@Tag("guest")
class DoorbellGuestTest {
    private static final Pattern ACCESS =
            Pattern.compile(
                    "pci_nvme_mmio_(read|write) addr 0x([0-9a-f]+)(?: data 0x([0-9a-f]+))?"
                            + " size (\\d+)");

    @AutoClose private static GuestRun run;
    private static List<Access> accesses;

    private record Access(boolean write, long offset, long value, int bytes) {}

    @BeforeAll
    static void boot() throws IOException {
        run =
                Guest.named("doorbells")
                        .processors(1) // with more, QEMU 7.2 crashes the second compiler
                        .drive(Drive.named("ssd0"))
                        .trace("pci_nvme_mmio_write")
                        .trace("pci_nvme_mmio_read")
                        .tests("without-iommu")
                        .step(
                                """
                                function=$(basename $(readlink /sys/class/nvme/nvme0/device))
                                echo $function >/sys/bus/pci/devices/$function/driver/unbind
                                """)
                        .step("tiers=-Xint")
                        .tests("stores-interpreted")
                        .step("tiers=-XX:TieredStopAtLevel=1")
                        .tests("stores-first-tier")
                        .step("tiers='-XX:-TieredCompilation -Xbatch'")
                        .tests("stores-second-compiler")
                        .run();
        accesses = new ArrayList<>();
        for (String line : Files.readAllLines(run.trace())) {
            Matcher matcher = ACCESS.matcher(line);
            if (matcher.find()) {
                String value = matcher.group(3);
                accesses.add(
                        new Access(
                                matcher.group(1).equals("write"),
                                Long.parseLong(matcher.group(2), 16),
                                value == null ? 0 : Long.parseUnsignedLong(value, 16),
                                Integer.parseInt(matcher.group(4))));
            }
        }
    }

    @Test
    void withoutAnIommuNothingIsBoundAndTheReasonIsSaid() {
        run.passed("without-iommu");
    }

    @ParameterizedTest
    @CsvSource({
        "stores-interpreted, 1400",
        "stores-first-tier, 1420",
        "stores-second-compiler, 1440",
    })
    void aDoorbellIsWrittenOnceAStoreAndNeverRead(String test, String at) {
        run.passed(test);
        long offset = Long.parseLong(at, 16);
        List<Access> stores = accesses.stream().filter(a -> a.offset() == offset).toList();
        List<Access> wanted =
                new ArrayList<>(
                        IntStream.rangeClosed(1, DoorbellStores.STORES)
                                .mapToObj(value -> new Access(true, offset, value, 4))
                                .toList());
        wanted.add(new Access(true, offset, DoorbellStores.STORES + 1L, 8));
        assertThat(stores.equals(wanted))
                .as("%d accesses, %d expected", stores.size(), wanted.size())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "stores-interpreted, 1408",
        "stores-first-tier, 1428",
        "stores-second-compiler, 1448",
    })
    void aLoadIsOneReadOfItsWidth(String test, String at) {
        run.passed(test);
        long offset = Long.parseLong(at, 16);
        List<Access> loads = accesses.stream().filter(a -> a.offset() == offset).toList();
        assertThat(loads).hasSize(DoorbellStores.LOADS + 1);
        assertThat(loads.subList(0, DoorbellStores.LOADS))
                .containsOnly(new Access(false, offset, 0, 4));
        assertThat(loads.getLast()).isEqualTo(new Access(false, offset, 0, 8));
    }
}
