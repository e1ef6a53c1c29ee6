package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Tests the launcher and its cache, with a program that echoes its arguments. */
@EnabledOnOs(OS.LINUX)
@Timeout(300)
@Tag("long")
class LauncherTest {
    private static final Path ROOT = Path.of("..");
    private static final int NOBODY = 65534;

    @TempDir private Path temporary;
    private Path folder;
    private Path target;
    private Path program;

    private record Run(int status, List<String> out, String err) {}

    @BeforeEach
    void install() throws IOException {
        folder = temporary.resolve("a folder with spaces");
        target = folder.resolve("cli/target");
        Files.createDirectories(target);
        Files.createDirectories(folder.resolve("tools"));
        for (String file : List.of("peerlane", "tools/jdk.sh")) {
            Files.copy(ROOT.resolve(file), folder.resolve(file));
        }
        program = target.resolve("peerlane-cli-1.jar");
        jar("first");
    }

    private void jar(String comment) throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, EchoProgram.class.getName());
        String name = EchoProgram.class.getName().replace('.', '/') + ".class";
        try (OutputStream file = Files.newOutputStream(program);
                JarOutputStream jar = new JarOutputStream(file, manifest);
                InputStream code = EchoProgram.class.getResourceAsStream("EchoProgram.class")) {
            jar.setComment(comment);
            jar.putNextEntry(new JarEntry(name));
            jar.write(code.readAllBytes());
        }
    }

    private static Run run(Path launcher, String... before) throws Exception {
        return run(launcher, List.of("list", "two words"), before);
    }

    private static Run run(Path launcher, List<String> arguments, String... before)
            throws Exception {
        List<String> command = new ArrayList<>(List.of(before));
        command.add(launcher.toString());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).directory(Path.of("/").toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Path err = Files.createTempFile("launcher", ".err");
        Process process = builder.redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Run run = new Run(process.waitFor(), out.lines().toList(), Files.readString(err));
        Files.delete(err);
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
        assertThat(run.out()).endsWith(arguments.toArray(String[]::new));
        return run;
    }

    private List<Path> caches() throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            return files.filter(f -> !f.equals(program)).toList();
        }
    }

    private Path cache() throws IOException {
        assertThat(caches()).as("only the cache").hasSize(1);
        return caches().getFirst();
    }

    private static boolean uses(Run run, Path cache) {
        return run.out().stream()
                .anyMatch(a ->
                        a.startsWith("-XX:AOTCache=") && a.endsWith("/" + cache.getFileName()));
    }

    @Test
    void theFirstStartMakesACacheThatTheOthersUse() throws Exception {
        run(folder.resolve("peerlane"));
        Path cache = cache();
        assertThat(cache.toString()).endsWith(".aot");
        assertThat(Files.size(cache)).isPositive();
        FileTime made = Files.getLastModifiedTime(cache);
        assertThat(uses(run(folder.resolve("peerlane")), cache)).isTrue();
        assertThat(Files.getLastModifiedTime(cache)).isEqualTo(made);
    }

    @Test
    void aNewerProgramGetsANewCache() throws Exception {
        run(folder.resolve("peerlane"));
        FileTime old = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
        Files.setLastModifiedTime(cache(), old);
        jar("another program");
        assertThat(uses(run(folder.resolve("peerlane")), cache())).isTrue();
        assertThat(Files.getLastModifiedTime(cache())).isGreaterThan(old);
    }

    @Test
    void anUnusableCacheCausesNoMessage() throws Exception {
        run(folder.resolve("peerlane"));
        Files.writeString(cache(), "no cache at all");
        run(folder.resolve("peerlane"));
    }

    @Test
    void aReadOnlyDirectoryMeansNoCacheAndNoMessage() throws Exception {
        for (Path above : List.of(temporary, folder)) {
            Files.setPosixFilePermissions(above, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("r-xr-xr-x"));
        // root may write everywhere
        boolean root = Files.getAttribute(temporary, "unix:uid").equals(0);
        try {
            Run run =
                    root
                            ? run(
                                    folder.resolve("peerlane"),
                                    "setpriv",
                                    "--reuid=" + NOBODY,
                                    "--clear-groups")
                            : run(folder.resolve("peerlane"));
            assertThat(caches()).isEmpty();
            assertThat(run.out()).noneMatch(a -> a.startsWith("-XX:AOT"));
        } finally {
            Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    @Test
    void aLinkToTheLauncherWorksFromAnywhere() throws Exception {
        Path elsewhere = Files.createDirectories(temporary.resolve("else where"));
        Path link = elsewhere.resolve("lane");
        Files.createSymbolicLink(link, folder.resolve("peerlane"));
        run(link);
        assertThat(uses(run(link), cache())).isTrue();
    }

    @Test
    void onlyCommandsThatMoveDataGetTheOptimisingCompiler() throws Exception {
        String first = "-XX:TieredStopAtLevel=1";
        Path launcher = folder.resolve("peerlane");
        assertThat(run(launcher, List.of("copy", "a", "b")).out()).doesNotContain(first);
        assertThat(run(launcher, List.of("-v", "bench", "a")).out()).doesNotContain(first);
        assertThat(run(launcher, List.of("copy", "a", "b", "--dry-run")).out()).contains(first);
        assertThat(run(launcher, List.of("list", "copy")).out()).contains(first);
    }
}
