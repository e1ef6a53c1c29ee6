package dev.peerlane.system;

import static dev.peerlane.system.EmulatedPair.MIB;
import static dev.peerlane.system.EmulatedPair.drive;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.hal.Bar;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A CMB that is longer than the memory of most machines. */
class LongCmbTest {
    private static final long BYTES = 16L << 30;

    /** Far less than the CMB, far more than what else this process takes meanwhile. */
    private static final long MOST_BYTES = 1L << 30;

    /** Returns the memory of this process, of its own and of files. */
    private static long residentBytes() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc/self/status"));
        for (String line : lines) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new AssertionError("no VmRSS in " + lines);
    }

    private static List<String> mappings() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc/self/maps"));
        return lines.stream().filter(line -> line.contains("/peerlane-cmb")).toList();
    }

    @Test
    void takesMemoryOfThePagesThatAreTouchedOnly() throws IOException {
        long before = residentBytes();
        try (EmulatedPair p =
                EmulatedPair.of(
                        drive("a").memory(MIB, 512),
                        drive("b").memory(MIB, 512).cmb(CmbModel.of(BYTES)))) {
            ControllerMemoryBuffer cmb = p.b.requireCmb();
            cmb.enable(p.fabric.dma());
            Bar bar = p.b.device().bar(2);
            assertThat(bar.sizeBytes()).isEqualTo(BYTES);
            p.scramble(p.a.namespace(1), 0, 65_536, 9);
            try (PeerBuffer all = cmb.allocate(BYTES, 4096)) {
                all.wipeOnClose(false); // that touches all of it
                for (long at : new long[] {0, BYTES / 2 - 4096, BYTES - 65_536}) {
                    p.a.namespace(1).read(all, at, 0, 128);
                    p.b.namespace(1).write(all, at, 0, 128);
                    assertThat(p.content(p.b.namespace(1), 0, 65_536))
                            .as("through the CMB at %x", at)
                            .isEqualTo(p.content(p.a.namespace(1), 0, 65_536));
                    assertThat(bar.load64(at)).as("at %x", at).isNotZero();
                    p.b.namespace(1).writeZeroes(0, 128);
                }
                assertThat(bar.load64(BYTES / 4)).isZero();
            }
            assertThat(residentBytes() - before).as("bytes of memory").isLessThan(MOST_BYTES);
            assertThat(mappings()).isNotEmpty().allMatch(line -> line.endsWith(" (deleted)"));
        }
        assertThat(mappings()).isEmpty();
    }
}
