package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs the program in its own process, as a user does. */
final class Program {
    private static final long LIMIT_SECONDS = 90;
    private static final long LOOK_NANOS = 50_000_000L;
    private static final long FIRST_DELAY_NANOS = 500_000_000L;
    private static final int ATTEMPTS = 4;
    private static final int HAND_OFFS = 200;
    private static final String COPYING = "Copying through";
    private static final Pattern COUNTED = Pattern.compile("\"handOffs\"\\s*:\\s*(\\d{1,9})");
    private static final Pattern BYTES = Pattern.compile("\"bytesCopied\"\\s*:\\s*(\\d+)");

    /**
     * The end of a run.
     *
     * @param status its exit status
     * @param out its standard output
     * @param err its standard error
     */
    record Ending(int status, String out, String err) {
        /** Returns a short text for a message. */
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

    /** Runs the program until it ends. */
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

    /** Lists the drives, then binds them to vfio-pci. */
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

    /** Returns a drive to Linux. */
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

    /**
     * Counts hand-offs from ssd0 to ssd1 with one fence. Both drives keep everything but a region,
     * and nothing is left in the CMB.
     */
    static String litmus(int region, String fence) throws IOException, InterruptedException {
        Ending ending =
                run(
                        "litmus",
                        Ssds.locator("ssd0"),
                        Ssds.locator("ssd1"),
                        "--scratch=%d+%d".formatted(region * Copies.BLOCKS, Copies.BLOCKS),
                        "--fence=" + fence,
                        "--slots=" + HAND_OFFS,
                        "--seed=7",
                        "--yes",
                        "--json");
        same(0, ending.status(), ending.text());
        for (String wanted :
                List.of(
                        "\"result\" : \"ok\"",
                        "\"kind\" : \"target-cmb\"",
                        "\"fence\" : \"%s\"".formatted(fence),
                        "\"stale\" : 0,")) {
            check(ending.out().contains(wanted), "no " + wanted + " in " + ending.text());
        }
        // whole rounds of slots: more than requested
        Matcher counted = COUNTED.matcher(ending.out());
        check(
                counted.find() && Integer.parseInt(counted.group(1)) >= HAND_OFFS,
                "fewer than %d hand-offs in %s".formatted(HAND_OFFS, ending.text()));
        same(0L, Copies.wordsAsFound("ssd1"), "the number of words left in the CMB");
        return ending.text();
    }

    private static long bytesCopied(Ending ending) {
        Matcher matcher = BYTES.matcher(ending.out());
        check(matcher.find(), "no bytesCopied in " + ending.text());
        return Long.parseLong(matcher.group(1));
    }

    /**
     * Sends a signal to a running copy, which ends in order with the signal's status. The program
     * reports when it begins to copy, and the target is so slow that the copy takes a minute even
     * on the fastest machine. On a slow machine it may have moved nothing yet; then another copy is
     * signalled later.
     *
     * @param more further options of the program
     */
    private static String signalled(String signal, int status, String... more)
            throws IOException, InterruptedException {
        long delayNanos = FIRST_DELAY_NANOS;
        StringBuilder tried = new StringBuilder();
        for (int i = 0; i < ATTEMPTS; i++) {
            bindAgain("ssd0", "ssd2");
            List<String> command = new ArrayList<>(List.of("copy"));
            command.addAll(List.of(Ssds.locator("ssd0"), Ssds.locator("ssd2")));
            command.addAll(List.of("--buffer=target", "--chunk=16KiB", "--slots=2"));
            command.addAll(List.of("--yes", "--json", "--verbose"));
            command.addAll(List.of(more));
            Program program = start(command.toArray(String[]::new));
            program.awaitCopying();
            LockSupport.parkNanos(delayNanos);
            program.send(signal);
            Ending ending = program.end();
            tried.append("; ").append(delayNanos / 1_000_000).append(" ms: ").append(ending.text());
            same(status, ending.status(), "the status of: " + ending.text());
            if (bytesCopied(ending) > 0) {
                return tried.toString();
            }
            delayNanos *= 3;
        }
        throw new AssertionError("no signal came in the middle: " + tried);
    }

    /** Binds drives to vfio-pci again that an earlier attempt has restored. */
    private static void bindAgain(String... serials) throws IOException, InterruptedException {
        for (String serial : serials) {
            if (!Ssds.driver(serial).equals("vfio-pci")) {
                Ending bind = run("bind", "--yes", Ssds.locator(serial));
                same(0, bind.status(), bind.text());
            }
        }
    }

    /** Interrupts a copy, and checks that it leaves no data in the CMB. */
    static String interrupted() throws IOException, InterruptedException {
        String text = signalled("INT", 130);
        same(0L, Copies.wordsAsFound("ssd2"), "the number of words left in the CMB");
        return text;
    }

    /** Terminates a copy with --restore-drivers, and checks that it restores the drivers. */
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

    /** Waits until the program reports that it copies. Fails with its output if it ends before. */
    private void awaitCopying() throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (!Files.readString(err).contains(COPYING)) {
            if (!process.isAlive()) {
                throw new AssertionError("it ended before it copied: " + end().text());
            }
            check(
                    System.nanoTime() - start < LIMIT_SECONDS * 1_000_000_000L,
                    "the program does not begin to copy: " + Files.readString(err));
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }
}
