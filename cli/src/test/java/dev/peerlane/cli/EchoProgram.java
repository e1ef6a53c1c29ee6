package dev.peerlane.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Replaces the program in {@link LauncherTest}: prints the arguments of its process, one per line.
 */
final class EchoProgram {
    private EchoProgram() {}

    public static void main(String[] args) throws IOException {
        byte[] all = Files.readAllBytes(Path.of("/proc/self/cmdline"));
        System.out.print(new String(all, StandardCharsets.UTF_8).replace('\0', '\n'));
    }
}
