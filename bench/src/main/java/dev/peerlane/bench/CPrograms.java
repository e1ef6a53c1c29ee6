package dev.peerlane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The programs in C, compiled for this machine.
 *
 * @param driver the hot path with nothing that it could do without
 * @param checked the same with the checks that the Java driver makes
 * @param steps counts instructions
 */
record CPrograms(Path driver, Path checked, Path steps) {
    /** How they are compiled. */
    static final List<String> FLAGS = List.of("gcc", "-O3", "-march=native", "-std=gnu17");

    /**
     * Compiles them.
     *
     * @param sources the folder with the sources
     * @param target the folder for the programs; made if need be
     * @throws IOException if there is no compiler, or it does not like them
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
