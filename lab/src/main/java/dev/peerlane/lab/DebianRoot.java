package dev.peerlane.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A directory with unpacked Debian packages and their dependencies. Its programs run on this
 * machine with their own loader and libraries, so the machine's may be older.
 *
 * @param folder the root directory
 */
record DebianRoot(Path folder) {
    private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu";

    /**
     * Returns the start of a command line that runs one of its programs; arguments follow.
     *
     * @param program its path below the root directory, such as {@code usr/bin/qemu-system-x86_64}
     */
    List<String> command(String program) {
        return List.of(
                folder.resolve("usr/lib64/ld-linux-x86-64.so.2").toString(),
                "--library-path",
                libraryPath(),
                folder.resolve(program).toString());
    }

    /**
     * Returns the library path. Some libraries are in their own directory, which ldconfig would
     * have found.
     */
    private String libraryPath() {
        Path libraries = folder.resolve(LIBRARIES);
        try (Stream<Path> all = Files.list(libraries)) {
            return Stream.concat(Stream.of(libraries), all.filter(Files::isDirectory).sorted())
                    .map(Path::toString)
                    .collect(Collectors.joining(":"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
