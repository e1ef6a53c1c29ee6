package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The loadable modules of an unpacked kernel, with their dependencies. */
final class KernelModules {
    /**
     * An entry about dependencies in a module's .modinfo section, which holds zero-terminated
     * strings.
     */
    private static final Pattern DEPENDS = Pattern.compile("\\x00depends=([^\\x00]*)\\x00");

    private final Map<String, Path> files = new HashMap<>();

    /** Finds the modules below a kernel's directory. */
    KernelModules(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.toList()) {
                String name = each.getFileName().toString();
                int suffix = name.indexOf(".ko");
                if (suffix > 0) {
                    files.put(plain(name.substring(0, suffix)), each);
                }
            }
        }
    }

    /** Returns the files of some modules and of their dependencies. A built-in module has none. */
    Set<Path> with(Iterable<String> names) throws IOException {
        Set<Path> found = new LinkedHashSet<>();
        for (String name : names) {
            add(name, found);
        }
        return found;
    }

    private void add(String name, Set<Path> found) throws IOException {
        Path file = files.get(plain(name));
        if (file == null || !found.add(file)) {
            return;
        }
        Matcher matcher = DEPENDS.matcher(Files.readString(file, ISO_8859_1));
        if (matcher.find()) {
            for (String needed : matcher.group(1).split(",", -1)) {
                add(needed, found);
            }
        }
    }

    private static String plain(String name) {
        return name.replace('-', '_');
    }
}
