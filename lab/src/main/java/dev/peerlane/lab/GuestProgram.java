package dev.peerlane.lab;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The classes and libraries that the guest's Java runs: those of the test process, without those
 * that only the build's tests need.
 *
 * @param classes the project's own classes: directories or jars
 * @param libraries other jars, and directories of classes that are no jar yet
 */
record GuestProgram(List<Path> classes, List<Path> libraries) {
    private static final Pattern OWN =
            Pattern.compile(".*/(?:core|cli|lab)/target/(?:classes|peerlane-[^/]*\\.jar)");

    /** Other modules of the project, where they are not packed yet. */
    private static final Pattern UNPACKED =
            Pattern.compile(".*/(fabrics|measure|picocli)/target/classes");

    private static final Pattern FOR_BUILD =
            Pattern.compile(
                    "(?:junit|assertj|byte-buddy|opentest4j|apiguardian|surefire|open-test).*");

    /** Returns the program on the class path of this process. */
    static GuestProgram ofThisProcess() {
        List<Path> classes = new ArrayList<>();
        List<Path> libraries = new ArrayList<>();
        String all = System.getProperty("java.class.path");
        for (String each : all.split(Pattern.quote(File.pathSeparator), -1)) {
            Path path = Path.of(each).toAbsolutePath().normalize();
            if (OWN.matcher(path.toString()).matches()) {
                classes.add(path);
            } else if (UNPACKED.matcher(path.toString()).matches()) {
                libraries.add(path);
            } else if (Files.isRegularFile(path)
                    && !FOR_BUILD.matcher(path.getFileName().toString()).matches()) {
                libraries.add(path);
            }
        }
        return new GuestProgram(List.copyOf(classes), List.copyOf(libraries));
    }

    /** Adds them as jars to an archive, below {@code guest}. */
    void addTo(Cpio cpio, Path folder) throws IOException {
        int number = 0;
        for (Path each : classes) {
            if (Files.isDirectory(each)) {
                Path jar = folder.resolve("own.jar");
                pack(each, jar);
                cpio.file("guest/own" + number + ".jar", jar);
                Files.delete(jar);
            } else {
                cpio.file("guest/own" + number + ".jar", each);
            }
            number++;
        }
        for (Path each : libraries) {
            if (Files.isDirectory(each)) {
                Path jar = folder.resolve("module.jar");
                pack(each, jar);
                cpio.file("guest/module" + number++ + ".jar", jar);
                Files.delete(jar);
            } else {
                cpio.file("guest/" + each.getFileName(), each);
            }
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> all = Files.walk(classes)) {
            out.setLevel(0);
            all.filter(Files::isRegularFile)
                    .sorted()
                    .forEach(file -> {
                        try {
                            out.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                            Files.copy(file, out);
                            out.closeEntry();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
        }
    }
}
