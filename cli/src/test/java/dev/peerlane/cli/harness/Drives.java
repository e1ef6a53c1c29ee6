package dev.peerlane.cli.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Fabric files and the images they name, in one directory. */
public final class Drives {
    public static final int BYTES = 2 << 20;
    private static final int SEED = 7;

    private final Path folder;
    private final byte[] before = new byte[BYTES];

    /** Creates the images {@code a.img} (random bytes) and {@code b.img} (other random bytes). */
    public Drives(Path folder) {
        this.folder = folder;
        byte[] data = new byte[BYTES];
        SplittableRandom random = new SplittableRandom(SEED);
        random.nextBytes(data);
        random.nextBytes(before);
        try {
            Files.write(folder.resolve("a.img"), data);
            Files.write(folder.resolve("b.img"), before);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a fabric file and returns its name. */
    public String fabric(String yaml) {
        Path file = folder.resolve("fabric.yaml");
        try {
            Files.writeString(file, yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file.toString();
    }

    /**
     * Writes a fabric of two drives behind a switch, with further keys such as {@code ,
     * writeProtected: true}.
     */
    public String two(String moreOfA, String moreOfB) {
        return fabric(
                """
                kind: emulator
                drives:
                  - {name: a, image: a.img, serial: SA%s}
                  - {name: b, image: b.img, serial: SB%s}
                """
                        .formatted(moreOfA, moreOfB));
    }

    /** Writes a fabric of two drives with a CMB each. */
    public String usual() {
        return two(", cmb: {size: 1MiB}", ", cmb: {size: 1MiB}");
    }

    public byte[] bytes(String image) {
        try {
            return Files.readAllBytes(folder.resolve(image));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void assertTargetUntouched() {
        assertThat(Arrays.equals(bytes("b.img"), before)).as("b.img is as before").isTrue();
    }

    public void assertTargetIsSource() {
        assertThat(Arrays.equals(bytes("b.img"), bytes("a.img"))).as("b.img is a.img").isTrue();
    }

    /** Returns the arguments with a fabric option added. */
    public static String[] with(String fabric, String... args) {
        return Stream.concat(Arrays.stream(args), Stream.of("--fabric", fabric))
                .toArray(String[]::new);
    }
}
