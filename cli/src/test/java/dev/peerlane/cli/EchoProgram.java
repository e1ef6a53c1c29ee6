package dev.peerlane.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Stands in for the program in {@link LauncherTest}: prints its process's arguments, one a line.
 */
final class EchoProgram {
    private EchoProgram() {}

    public static void main(String[] args) throws IOException {
        byte[] all = Files.readAllBytes(Path.of("/proc/self/cmdline"));
        System.out.print(new String(all, StandardCharsets.UTF_8).replace('\0', '\n'));
    }
}
