package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The C programs, compiled for this machine.
 *
 * @param driver the hot path without checks
 * @param checked the same with the checks of the Java driver
 * @param steps the program that counts instructions
 */
record CPrograms(Path driver, Path checked, Path steps) {
    /** The compiler and its flags. */
    static final List<String> FLAGS = List.of("gcc", "-O3", "-march=native", "-std=gnu17");

    /**
     * Compiles the programs.
     *
     * @param sources the directory of the sources
     * @param target the directory for the programs, created if missing
     * @throws IOException if there is no compiler or it fails
     */
    static CPrograms compile(Path sources, Path target) throws IOException {
        Files.createDirectories(target);
        Path driver = sources.resolve("driver.c");
        return new CPrograms(
                build(driver, target.resolve("driver")),
                build(driver, target.resolve("driver-checked"), "-DCHECKS"),
                build(sources.resolve("steps.c"), target.resolve("steps")));
    }

    private static Path build(Path source, Path program, String... more) throws IOException {
        List<String> command = new ArrayList<>(FLAGS);
        command.addAll(List.of(more));
        command.addAll(List.of("-Wall", "-Wextra", "-Werror", "-o", program.toString()));
        command.add(source.toString());
        Machine.run(command);
        return program;
    }
}
