package dev.peerlane.cli.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * Runs {@code peerlane serve} in its own process, and has the names of its drives once they are
 * ready.
 */
public final class ServedProcess implements AutoCloseable {
    private final Process process;
    private final Path said;
    private final List<String> locators = new ArrayList<>();

    private ServedProcess(Process process, Path said) {
        this.process = process;
        this.said = said;
    }

    /**
     * Starts a server.
     *
     * @param folder the directory for its sockets
     * @param name the name of its own files there
     * @param drives lines of a fabric file, one per drive
     */
    public static ServedProcess start(Path folder, String name, String... drives)
            throws IOException {
        StringBuilder yaml = new StringBuilder("kind: emulator\ndrives:\n");
        for (String drive : drives) {
            yaml.append("  - ").append(drive).append('\n');
        }
        Path fabric = Files.writeString(folder.resolve(name + ".yaml"), yaml);
        Path said = folder.resolve(name + ".err");
        Process process =
                new ProcessBuilder(
                                ProgramProcess.command(
                                        List.of(),
                                        "serve",
                                        folder.toString(),
                                        "--fabric",
                                        fabric.toString()))
                        .redirectError(said.toFile())
                        .start();
        ServedProcess served = new ServedProcess(process, said);
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        for (int i = 0; i < drives.length; i++) {
            String locator = out.readLine();
            if (locator == null) {
                served.close();
                throw new IOException(name + " ended: " + served.said());
            }
            served.locators.add(locator);
        }
        return served;
    }

    /** Returns the name of a drive. */
    public String locator(int drive) {
        return locators.get(drive);
    }

    /** Returns its standard error so far. */
    public String said() throws IOException {
        return Files.readString(said);
    }

    /** Returns whether it has mapped the memory file of a name. */
    public boolean maps(String memoryFile) throws IOException {
        String maps = Files.readString(Path.of("/proc/" + process.pid() + "/maps"));
        return maps.contains("/memfd:" + memoryFile + " ");
    }

    /** Opens the longest memory file of a name, which is a CMB. */
    public FileChannel open(String memoryFile) throws IOException {
        Path longest = null;
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/fd"))) {
            for (Path file : files) {
                boolean named =
                        Files.readSymbolicLink(file).toString().startsWith("/memfd:" + memoryFile);
                if (named && (longest == null || Files.size(file) > Files.size(longest))) {
                    longest = file;
                }
            }
        }
        return FileChannel.open(Objects.requireNonNull(longest, memoryFile));
    }

    /** Kills it, without any clean-up, and waits until it is gone. */
    public void kill() {
        try {
            process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Interrupts it and waits until it ends. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("it does not end: " + said());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
