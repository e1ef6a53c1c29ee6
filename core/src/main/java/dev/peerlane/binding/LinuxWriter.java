package dev.peerlane.binding;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Writes to sysfs, and loads modules with modprobe. */
public final class LinuxWriter implements SystemWriter {
    private static final List<String> FOLDERS = List.of("/sbin", "/usr/sbin", "/bin", "/usr/bin");
    private static final int MAX_WORDS = 400;
    private static final long SECONDS = 30;

    /** Creates a writer for this machine. */
    public LinuxWriter() {}

    @Override
    public void write(Path file, String text) throws IOException {
        // no CREATE: a file that sysfs does not have is an error
        Files.write(file, text.getBytes(StandardCharsets.US_ASCII), StandardOpenOption.WRITE);
    }

    @Override
    public void load(String module) throws IOException {
        Path words = Files.createTempFile("peerlane-modprobe", ".txt");
        try {
            Process process =
                    new ProcessBuilder(modprobe(), module)
                            .redirectErrorStream(true)
                            .redirectOutput(words.toFile())
                            .start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("modprobe " + module + " takes more than 30 s");
            }
            if (process.exitValue() != 0) {
                String said = Files.readString(words).strip();
                throw new IOException(
                        "modprobe "
                                + module
                                + ": "
                                + said.substring(0, Math.min(said.length(), MAX_WORDS)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("modprobe " + module + " was interrupted", e);
        } finally {
            Files.deleteIfExists(words);
        }
    }

    private static String modprobe() {
        return FOLDERS.stream()
                .map(folder -> new File(folder, "modprobe"))
                .filter(File::canExecute)
                .map(File::getPath)
                .findFirst()
                .orElse("modprobe");
    }
}
