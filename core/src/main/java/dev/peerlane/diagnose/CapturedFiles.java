package dev.peerlane.diagnose;

import dev.peerlane.pci.sysfs.SystemFiles;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The files of a system in memory. Symbolic links are not followed, since the files behind them
 * were copied.
 */
public final class CapturedFiles extends SystemFiles {
    private final String origin;
    private final TreeMap<String, byte[]> files = new TreeMap<>();
    private final TreeMap<String, String> links = new TreeMap<>();
    private final Map<String, SortedSet<String>> directories = new HashMap<>();

    /**
     * Creates an empty set of files.
     *
     * @param origin where the files come from, for messages
     */
    public CapturedFiles(String origin) {
        this.origin = origin;
    }

    /** Adds a file, or replaces it. */
    public void put(String path, byte[] content) {
        files.put(path, content.clone());
        index(path);
    }

    /** Adds a symbolic link. */
    public void putLink(String path, String target) {
        links.put(path, target);
        index(path);
    }

    private void index(String path) {
        String at = path;
        int slash = at.lastIndexOf('/');
        while (slash > 0) {
            String parent = at.substring(0, slash);
            boolean isNew =
                    directories
                            .computeIfAbsent(parent, p -> new TreeSet<>())
                            .add(at.substring(slash + 1));
            if (!isNew) {
                return;
            }
            at = parent;
            slash = at.lastIndexOf('/');
        }
    }

    /** Returns the files, by path. */
    Map<String, byte[]> files() {
        return files;
    }

    /** Returns the links, by path. */
    Map<String, String> links() {
        return links;
    }

    @Override
    public byte @Nullable [] bytes(String path, int offset, int count) {
        byte[] content = files.get(path);
        if (content == null) {
            return null;
        }
        int from = Math.min(offset, content.length);
        return Arrays.copyOfRange(content, from, from + Math.min(count, content.length - from));
    }

    @Override
    public List<String> list(String path) {
        return List.copyOf(directories.getOrDefault(path, new TreeSet<>()));
    }

    @Override
    public @Nullable String link(String path) {
        return links.get(path);
    }

    @Override
    public String origin() {
        return origin;
    }
}
