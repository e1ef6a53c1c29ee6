package dev.peerlane.vfio;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Compares the system calls in the sources with those that a fake kernel received. */
public final class Calls {
    private static final Pattern CALL = Pattern.compile("kernel\\s*\\.\\s*([a-zA-Z]+)\\(");
    private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\n]*");

    private Calls() {}

    /** Returns the file, line and method of every call in the sources of a package. */
    public static Set<String> writtenIn(String room, Predicate<String> files) {
        Set<String> written = new TreeSet<>();
        try (var sources = Files.list(Path.of("src/main/java/dev/peerlane", room))) {
            for (Path file : sources.filter(f -> files.test(name(f))).toList()) {
                String text = COMMENT.matcher(Files.readString(file)).replaceAll(Calls::lines);
                CALL.matcher(text)
                        .results()
                        .forEach(m ->
                                written.add(name(file) + ":" + line(text, m) + " " + m.group(1)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return written;
    }

    private static String lines(MatchResult comment) {
        return comment.group().replaceAll("[^\n]", "");
    }

    /** Returns the line of a call as class files have it: that of its opening parenthesis. */
    private static long line(String text, MatchResult call) {
        return 1 + text.substring(0, call.end()).chars().filter(c -> c == '\n').count();
    }

    /** Returns the file, line and method of every call site that a fake kernel recorded. */
    public static Set<String> reached(Set<String> sites) {
        Set<String> reached = new TreeSet<>();
        for (String site : sites) {
            String file = site.substring(0, site.indexOf('.')).replaceAll("\\$.*", "") + ".java";
            int space = site.indexOf(' ');
            String line = site.substring(site.lastIndexOf(':', space), space);
            reached.add(file + line + " " + method(site.substring(space + 1)));
        }
        return reached;
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private static String method(String call) {
        return switch (call) {
            case "mmap huge" -> "mmap";
            case "poll" -> "pollIn";
            case "getrlimit" -> "lockLimitBytes";
            default -> Character.isUpperCase(call.charAt(0)) ? "ioctl" : call;
        };
    }
}
