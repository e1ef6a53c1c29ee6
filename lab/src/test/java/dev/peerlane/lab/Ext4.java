package dev.peerlane.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A file system in an image file, created and checked by e2fsprogs. */
final class Ext4 {
    private Ext4() {}

    /**
     * Creates an image with files.
     *
     * @param pattern the content of every 4 KiB block of one of the files
     */
    static void make(Path image, long bytes, Path workDirectory, byte[] pattern)
            throws IOException, InterruptedException {
        Path tree = workDirectory.resolve("tree");
        Files.createDirectories(tree.resolve("deep/er"));
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < 20; i++) {
            byte[] content = new byte[random.nextInt(200_000)];
            random.nextBytes(content);
            Files.write(tree.resolve("deep/file" + i), content);
        }
        byte[] marked = new byte[1 << 20];
        for (int at = 0; at < marked.length; at += 4096) {
            System.arraycopy(pattern, 0, marked, at + 100, pattern.length);
        }
        Files.write(tree.resolve("deep/er/marked"), marked);
        Files.writeString(tree.resolve("README"), "a small tree\n");
        run("mkfs.ext4", "-q", "-F", "-d", tree.toString(), image.toString(), bytes / 1024 + "k");
    }

    /** Checks the file system and returns a digest of each file. */
    static Map<String, Integer> check(Path image, Path workDirectory)
            throws IOException, InterruptedException {
        run("e2fsck", "-fn", image.toString());
        Path out = Files.createTempDirectory(workDirectory, "dump");
        run("debugfs", "-R", "rdump / " + out, image.toString());
        Map<String, Integer> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(out)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(
                        out.relativize(file).toString(),
                        java.util.Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return files;
    }

    private static void run(String... command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(command));
        if (Files.isExecutable(Path.of("/usr/sbin", command[0]))) {
            words.set(0, "/usr/sbin/" + command[0]);
        }
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", words, said).isZero();
    }
}
