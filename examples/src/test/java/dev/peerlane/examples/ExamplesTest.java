package dev.peerlane.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExamplesTest {
    private static String printed(Runnable program) {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setOut(out);
            program.run();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void peerCopyCopiesOnTheBuiltInFabric() {
        assertThat(printed(() -> PeerCopy.main(new String[0])))
                .startsWith("1048576 bytes by ")
                .contains("target-cmb")
                .contains("0 data bytes in host memory");
    }

    @Test
    void peerCopyCopiesImagesOfAFabricFile(@TempDir Path folder) throws IOException {
        byte[] data = new byte[1 << 20];
        new SplittableRandom(3).nextBytes(data);
        Path source = Files.write(folder.resolve("a.img"), data);
        Path target = Files.write(folder.resolve("b.img"), new byte[1 << 20]);
        Path fabric =
                Files.writeString(
                        folder.resolve("fabric.yaml"),
                        """
                        kind: emulator
                        drives:
                          - {name: a, image: a.img}
                          - {name: b, image: b.img, blockBytes: 4096, cmb: {size: 256KiB}}
                        """);
        String out =
                printed(() -> PeerCopy.main(new String[] {"emu:a", "emu:b", fabric.toString()}));
        assertThat(out).startsWith("1048576 bytes by ").contains("emu:b");
        assertThat(Arrays.equals(Files.readAllBytes(target), Files.readAllBytes(source))).isTrue();
    }

    @Test
    void cmbBufferMovesBlocksThroughThePeersMemory() {
        assertThat(printed(() -> CmbBuffer.main(new String[0])))
                .contains("65536 bytes of emu:ssd1 at 0x")
                .contains("128 blocks of emu:ssd0/n1 are on emu:ssd1/n1");
    }

    @Test
    void copyWithProgressTellsItsReceipt() {
        assertThat(printed(() -> CopyWithProgress.main(new String[0])))
                .isEqualToIgnoringNewLines("134217728 bytes, ok");
    }

    @Test
    void copyWithProgressThatIsStoppedTellsHowFarItWas() {
        assertThat(printed(() -> CopyWithProgress.main(new String[] {"0"})))
                .startsWith("interrupted after ");
    }

    @Test
    void manyReadsAreDoneWithTheirQueueFull() {
        assertThat(printed(() -> ManyReads.main(new String[0])))
                .isEqualToIgnoringNewLines(
                        "1000 of 1000 Reads of 4096 bytes are done, 32 at a time");
    }
}
