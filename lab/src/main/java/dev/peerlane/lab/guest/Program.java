package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.open.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Runs the program in a process of its own, as a user does. */
final class Program {
    private static final long LIMIT_SECONDS = 90;
    private static final long LOOK_NANOS = 50_000_000L;
    private static final long FIRST_DELAY_NANOS = 4_000_000_000L;
    private static final int ATTEMPTS = 4;
    private static final Pattern BYTES = Pattern.compile("\"bytesCopied\"\\s*:\\s*(\\d+)");

    /**
     * How it ended.
     *
     * @param status its exit status
     * @param out what it wrote to its standard output
     * @param err what it wrote to its standard error
     */
    record Ending(int status, String out, String err) {
        /** Returns all of it for a message, in short. */
        String text() {
            return "status %d, output: %s, errors: %s".formatted(status, out, err);
        }
    }

    private final Process process;
    private final Path out;
    private final Path err;

    private Program(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    private static Program start(String... arguments) throws IOException {
        Path out = Files.createTempFile("program", ".out");
        Path err = Files.createTempFile("program", ".err");
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
        command.add(System.getProperty("java.class.path"));
        command.add("dev.peerlane.cli.Main");
        command.addAll(List.of(arguments));
        Process process =
                new ProcessBuilder(command)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        return new Program(process, out, err);
    }

    /** Runs it to its end. */
    static Ending run(String... arguments) throws IOException, InterruptedException {
        return start(arguments).end();
    }

    private Ending end() throws IOException, InterruptedException {
        try {
            check(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "the program does not end");
            return new Ending(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
        }
    }

    /** Lists the drives, then gives them to vfio-pci. */
    static String bind(String... serials) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bind", "--yes"));
        Ending list = run("list", "--json");
        same(0, list.status(), list.text());
        for (String serial : serials) {
            check(list.out().contains("\"" + serial + "\""), serial + " is not in " + list.text());
            same("nvme", Ssds.driver(serial), "the driver of " + serial);
            command.add(Ssds.locator(serial));
        }
        Ending bind = run(command.toArray(String[]::new));
        same(0, bind.status(), bind.text());
        for (String serial : serials) {
            same("vfio-pci", Ssds.driver(serial), "the driver of " + serial);
        }
        return bind.text();
    }

    /** Gives a drive back to Linux. */
    static String unbind(String serial) throws IOException, InterruptedException {
        Ending unbind = run("unbind", Ssds.locator(serial));
        same(0, unbind.status(), unbind.text());
        same("nvme", Ssds.driver(serial), "the driver of " + serial);
        return unbind.text();
    }

    /** Copies a region with the program. */
    static String copy(int region) throws IOException, InterruptedException {
        String range = "@%d+%d".formatted(region * Copies.BLOCKS, Copies.BLOCKS);
        Ending ending =
                run(
                        "copy",
                        Ssds.locator("ssd0") + range,
                        Ssds.locator("ssd1") + range,
                        "--buffer=target",
                        "--yes",
                        "--json");
        same(0, ending.status(), ending.text());
        same(Copies.BLOCKS * 512, bytesCopied(ending), "the number of bytes of " + ending.text());
        return ending.text();
    }

    private static long bytesCopied(Ending ending) {
        Matcher matcher = BYTES.matcher(ending.out());
        check(matcher.find(), "no bytesCopied in " + ending.text());
        return Long.parseLong(matcher.group(1));
    }

    /**
     * Sends a signal to a copy that is under way: it ends in order, with that status. When data
     * flows can't be seen from outside: a signal that came too early or too late is sent again to
     * another copy, later or earlier.
     *
     * @param more options of the program
     */
    private static String signalled(String signal, int status, String... more)
            throws IOException, InterruptedException {
        long delayNanos = FIRST_DELAY_NANOS;
        StringBuilder tried = new StringBuilder();
        for (int i = 0; i < ATTEMPTS; i++) {
            List<String> command = new ArrayList<>(List.of("copy"));
            command.addAll(List.of(Ssds.locator("ssd0"), Ssds.locator("ssd2")));
            command.addAll(List.of("--buffer=target", "--chunk=16KiB", "--slots=2"));
            command.addAll(List.of("--yes", "--json"));
            command.addAll(List.of(more));
            Program program = start(command.toArray(String[]::new));
            program.awaitDevices(2);
            LockSupport.parkNanos(delayNanos);
            program.send(signal);
            Ending ending = program.end();
            tried.append("; ").append(delayNanos / 1_000_000).append(" ms: ").append(ending.text());
            if (ending.status() == 0) {
                delayNanos /= 2; // it was done already
                continue;
            }
            same(status, ending.status(), "the status of: " + ending.text());
            Matcher bytes = BYTES.matcher(ending.out());
            if (!bytes.find() || bytes.group(1).equals("0")) {
                delayNanos = delayNanos * 3 / 2; // it had not begun
                continue;
            }
            return tried.toString();
        }
        throw new AssertionError("no signal came in the middle: " + tried);
    }

    /** Interrupts a copy, which leaves no data in the CMB. */
    static String interrupted() throws IOException, InterruptedException {
        String text = signalled("INT", 130);
        try (Session session = Ssds.session("ssd2")) {
            same(0L, Copies.words(session, "ssd2"), "the number of words left in the CMB");
        }
        return text;
    }

    /** Ends a copy that was told to put the drivers back, which it does. */
    static String terminated() throws IOException, InterruptedException {
        String text = signalled("TERM", 143, "--restore-drivers");
        same("nvme", Ssds.driver("ssd0"), "the driver of the source");
        same("nvme", Ssds.driver("ssd2"), "the driver of the target");
        same("vfio-pci", Ssds.driver("ssd1"), "the driver of the other drive");
        return text;
    }

    private void send(String signal) throws IOException, InterruptedException {
        Process kill =
                new ProcessBuilder("/bin/kill", "-" + signal, String.valueOf(process.pid()))
                        .inheritIO()
                        .start();
        check(kill.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "kill does not end");
    }

    private void awaitDevices(int count) throws IOException {
        Path files = Path.of("/proc", String.valueOf(process.pid()), "fd");
        long start = System.nanoTime();
        while (open(files) < count) {
            check(
                    process.isAlive() && System.nanoTime() - start < LIMIT_SECONDS * 1_000_000_000L,
                    "the program opens no devices: " + Files.readString(err));
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private static long open(Path files) throws IOException {
        try (Stream<Path> all = Files.list(files)) {
            return all.filter(Program::isDevice).count();
        }
    }

    private static boolean isDevice(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().contains("vfio-device");
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }
}
