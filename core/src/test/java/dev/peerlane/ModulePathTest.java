package dev.peerlane;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles and runs a program with a module of its own, on the module path beside the library. */
class ModulePathTest {
    private static final String USES_THE_FRONT =
            """
            package consumer;

            import dev.peerlane.Extent;
            import dev.peerlane.Session;
            import dev.peerlane.copy.CopyOptions;

            public class Main {
                public static void main(String[] args) {
                    try (Session session = Session.open("emu:ssd0", "emu:ssd1")) {
                        System.out.println(
                                session.copy(
                                                Extent.parse("emu:ssd0@0+64"),
                                                Extent.parse("emu:ssd1"),
                                                CopyOptions.DEFAULTS)
                                        .bytesCopied());
                    }
                }
            }
            """;

    private static final String USES_THE_ENGINE =
            """
            package consumer;

            public class Main {
                Object job = dev.peerlane.copy.engine.CopyJob.class;
            }
            """;

    @TempDir private Path folder;

    @BeforeEach
    void compileTheLibrarysModule() throws IOException {
        Path classes = Path.of("target/classes");
        Path module = folder.resolve("dev.peerlane");
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, module.resolve(classes.relativize(file).toString()));
            }
        }
        assertThat(compile(module, Path.of("src/main/java/module-info.java"))).isEmpty();
    }

    /** Returns what the compiler prints. */
    private String compile(Path to, Path... sources) {
        List<String> arguments =
                Stream.concat(
                                Stream.of(
                                        "-proc:none",
                                        "-p",
                                        jarOf(NullMarked.class) + ":" + folder,
                                        "-d",
                                        to.toString()),
                                Stream.of(sources).map(Path::toString))
                        .toList();
        StringWriter said = new StringWriter();
        PrintWriter out = new PrintWriter(said);
        ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(out, out, arguments.toArray(new String[0]));
        return said.toString();
    }

    private static String jarOf(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation().getPath();
    }

    private String compileConsumer(String text) throws IOException {
        Path source = Files.createDirectories(folder.resolve("source/consumer"));
        Path main = Files.writeString(source.resolve("Main.java"), text);
        Path info =
                Files.writeString(
                        source.resolveSibling("module-info.java"),
                        "module consumer { requires dev.peerlane; }");
        return compile(folder.resolve("consumer"), info, main);
    }

    @Test
    void copiesWithTheFrontAlone() throws IOException, InterruptedException {
        assertThat(compileConsumer(USES_THE_FRONT)).isEmpty();
        Process program =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "--illegal-native-access=deny",
                                "--enable-native-access=dev.peerlane",
                                "-p",
                                folder.resolve("dev.peerlane") + ":" + folder.resolve("consumer"),
                                "-m",
                                "consumer/consumer.Main")
                        .redirectErrorStream(true)
                        .start();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(program.waitFor()).as(said).isZero();
        assertThat(said.strip()).isEqualTo("32768");
    }

    @Test
    void doesNotSeeTheEngine() throws IOException {
        assertThat(compileConsumer(USES_THE_ENGINE))
                .contains("package dev.peerlane.copy.engine is not visible");
    }
}
