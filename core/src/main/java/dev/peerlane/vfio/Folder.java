package dev.peerlane.vfio;

import dev.peerlane.pci.SystemFiles;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Lists folders of {@code /sys} and {@code /proc}, which can vanish at any time: before they are
 * opened, and while they are read.
 */
final class Folder {
    private Folder() {}

    /**
     * Returns its entries, sorted; those seen so far once it has gone.
     *
     * @throws dev.peerlane.PeerlaneException if there are more than {@code max}
     */
    static List<Path> entries(Path folder, int max) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
            return entries(folder, all, max);
        } catch (IOException e) {
            return List.of(); // it has gone, or is somebody else's
        }
    }

    /** Returns the entries of a folder that is open, in the same way. */
    static List<Path> entries(Path folder, DirectoryStream<Path> all, int max) {
        List<Path> found = new ArrayList<>();
        try {
            for (Path entry : all) {
                if (found.size() == max) {
                    throw SystemFiles.tooLong(folder.toString(), max);
                }
                found.add(entry);
            }
        } catch (DirectoryIteratorException e) {
            // an error of an iterator is no IOException
        }
        found.sort(null);
        return found;
    }
}
