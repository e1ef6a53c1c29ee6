package dev.peerlane.cli.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the program in its own process, with the test's Java and classes. */
public final class ProgramProcess {
    private static final int IGNORED_SIGNALS_OF_A_SHELL = 1 << 1; // SIGINT is 2

    private ProgramProcess() {}

    /**
     * Returns the command line of a process.
     *
     * @param options further options of the virtual machine
     */
    public static List<String> command(List<String> options, String... args) throws IOException {
        List<String> command = new ArrayList<>();
        if (interruptsAreIgnored()) {
            command.addAll(List.of("env", "--default-signal=INT"));
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        // it runs for seconds, so the second compiler costs more than it saves
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName()));
        command.addAll(List.of(args));
        return command;
    }

    /**
     * Returns whether Ctrl-C is ignored, as in a background job of a shell and all processes it
     * starts.
     */
    private static boolean interruptsAreIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                .anyMatch(mask -> (mask & IGNORED_SIGNALS_OF_A_SHELL) != 0);
    }

    public static Process start(String... args) throws IOException {
        return start(List.of(), args);
    }

    public static Process start(List<String> options, String... args) throws IOException {
        return new ProcessBuilder(command(options, args)).start();
    }

    /** Returns all that it prints on standard output. */
    public static String text(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Returns its exit status. */
    public static int ended(Process process) throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    /** Reads until a line starts with a text, and returns that line. */
    public static String awaits(BufferedReader lines, String begin) throws IOException {
        String line = lines.readLine();
        while (line != null && !line.startsWith(begin)) {
            line = lines.readLine();
        }
        assertThat(line).as("a line that starts with " + begin).isNotNull();
        return line;
    }

    /** Sends a signal, such as {@code -TERM}. */
    public static void signal(Process to, String which) throws Exception {
        Process kill = new ProcessBuilder("kill", which, Long.toString(to.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }
}
