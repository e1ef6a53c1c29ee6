package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine that runs Linux with Java and the program: QEMU with NVMe controllers and an
 * IOMMU, in software emulation. It is described, given steps, and run until it powers off. The
 * images of its drives then show what was really written.
 *
 * <p>The steps are lines for the shell of {@code guest-init.sh}. Only a mark on the second serial
 * port shows that all were run: QEMU has exited silently with status 0, so its status means
 * nothing. A run without the mark is repeated once with new images.
 */
public final class Guest {
    private static final int ATTEMPTS = 2;
    private static final long STOP_SECONDS = 5;
    private static final long POLL_MILLIS = 200;
    private static final int SHOWN_LINES = 25;

    private final String name;
    private final List<Drive> drives = new ArrayList<>();
    private final List<String> steps = new ArrayList<>();
    private final List<String> kernelArguments = new ArrayList<>();
    private final List<String> qemuArguments = new ArrayList<>();
    private final List<String> traceEvents = new ArrayList<>();
    private @Nullable String iommu;
    private List<String> emulator = List.of("qemu-system-x86_64");
    private KernelSource kernel = KernelSource.MACHINE;
    private String processor = "max";
    private String memory = "1G";
    private int processors = 2;
    private Duration limit = Duration.ofMinutes(4);
    private Preparation preparation = (drive, image) -> {};
    private @Nullable Path tools;

    /** Fills the images before the guest starts. */
    @FunctionalInterface
    public interface Preparation {
        /** Fills an empty image that has the length of its drive. */
        void fill(String drive, Path image) throws IOException;
    }

    private Guest(String name) {
        this.name = name;
    }

    /**
     * Creates a guest with 1 GiB of memory, no IOMMU and no drives.
     *
     * @param name the name under which its console is kept
     */
    public static Guest named(String name) {
        return new Guest(name);
    }

    /** Adds a drive. */
    public Guest drive(Drive drive) {
        drives.add(drive);
        return this;
    }

    /** Sets what fills the images. */
    public Guest prepare(Preparation filling) {
        preparation = filling;
        return this;
    }

    /** Adds an Intel IOMMU with addresses of 39 or 48 bits, and makes Linux use it. */
    public Guest iommu(int addressBits) {
        iommu = "intel-iommu,intremap=on,aw-bits=" + addressBits;
        return kernelArgument("intel_iommu=on");
    }

    /** Adds an argument for the kernel. */
    public Guest kernelArgument(String argument) {
        kernelArguments.add(argument);
        return this;
    }

    /** Sets the source of its kernel. */
    public Guest kernel(KernelSource source) {
        kernel = source;
        return this;
    }

    /** Uses the QEMU of Debian sid instead of the machine's. */
    Guest qemuOfSid() {
        emulator = SidQemu.command();
        return this;
    }

    /** Sets QEMU's {@code -cpu}; the default is {@code max}. */
    public Guest processor(String model) {
        processor = model;
        return this;
    }

    /** Sets QEMU's {@code -m}. */
    public Guest memory(String text) {
        memory = text;
        return this;
    }

    /** Sets the number of processors; the default is 2. */
    public Guest processors(int count) {
        processors = count;
        return this;
    }

    /** Adds arguments for QEMU, after the drives. */
    public Guest qemu(String... arguments) {
        qemuArguments.addAll(List.of(arguments));
        return this;
    }

    /**
     * Makes the firmware place the CMBs' BARs above all memory, because the BAR of another device
     * fills the space below 4 GiB.
     */
    public Guest highBars() {
        return qemu("-device", "pci-testdev,membar=2G");
    }

    /** Traces an event of QEMU. */
    public Guest trace(String event) {
        traceEvents.add(event);
        return this;
    }

    /** Uses an archive with programs instead of Java. */
    Guest toolsInsteadOfJava(Path archive) {
        tools = archive;
        return this;
    }

    /**
     * Sets the time limit of an attempt on an idle machine. It limits QEMU's processor time for
     * each of the guest's processors, and the time without output from the guest.
     */
    public Guest limit(Duration duration) {
        limit = duration;
        return this;
    }

    /** Adds a line for the guest's shell. */
    public Guest step(String line) {
        steps.add(line);
        return this;
    }

    /** Adds a run of guest tests in one Java process. */
    public Guest tests(String... names) {
        return step("run_java dev.peerlane.lab.guest.GuestTests " + String.join(" ", names));
    }

    /**
     * Adds a run of guest tests in one Java process of an unprivileged user.
     *
     * @param lockedKib the memory that the user may lock, in KiB
     */
    public Guest testsOfUser(int lockedKib, String... names) {
        return step(
                "(ulimit -l %d; user_java dev.peerlane.lab.guest.GuestTests %s)"
                        .formatted(lockedKib, String.join(" ", names)));
    }

    /**
     * Runs it until it powers off.
     *
     * @throws PeerlaneException if it can't be built or started
     * @throws AssertionError if it did not finish in two attempts
     */
    public GuestRun run() {
        GuestProgram program = null;
        GuestImage image;
        if (tools == null) {
            program = GuestProgram.ofThisProcess();
            image = GuestImage.ready(kernel, program.classes());
        } else {
            image = GuestImage.withoutJava(kernel);
        }
        AssertionError problem = null;
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            try {
                return attempt(image, program, attempt);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(name + " was interrupted", e);
            } catch (AssertionError e) {
                System.err.println(e.getMessage());
                problem = e;
            }
        }
        throw Objects.requireNonNull(problem);
    }

    private GuestRun attempt(GuestImage image, @Nullable GuestProgram program, int number)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("peerlane-guest");
        Path kept = Files.createDirectories(reports());
        Path console = kept.resolve(name + "-" + number + ".console");
        Path results = kept.resolve(name + "-" + number + ".results");
        Path trace = kept.resolve(name + "-" + number + ".trace");
        Path errors = kept.resolve(name + "-" + number + ".qemu");
        for (Path file : List.of(console, results, trace)) {
            Files.write(file, new byte[0]);
        }
        boolean done = false;
        try {
            Map<String, Path> images = new LinkedHashMap<>();
            List<String> command = base(image.kernel(), initialRoot(folder, image, program));
            command.addAll(List.of("-serial", "file:" + Drive.escape(console)));
            command.addAll(List.of("-serial", "file:" + Drive.escape(results)));
            for (String subsystem : subsystems()) {
                command.addAll(List.of("-device", "nvme-subsys,id=" + subsystem));
            }
            Ports ports = new Ports(command);
            for (Drive drive : drives) {
                Path file = folder.resolve(drive.name() + ".img");
                try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
                    made.setLength(drive.sizeBytes());
                }
                preparation.fill(drive.name(), file);
                images.put(drive.name(), file);
                command.addAll(drive.arguments(file, null, ports.below(drive)));
            }
            command.addAll(qemuArguments);
            for (String event : traceEvents) {
                command.addAll(List.of("-trace", "enable=" + event));
            }
            if (!traceEvents.isEmpty()) {
                command.addAll(List.of("-D", trace.toString()));
            }
            long start = System.nanoTime();
            String end = await(start(command, errors), List.of(console, results));
            List<String> lines = Files.readAllLines(results, UTF_8);
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
            if (lines.stream().noneMatch(line -> line.strip().equals(GuestRun.END))) {
                throw new AssertionError(notEnded(end, seconds, lines, console, errors));
            }
            System.out.printf("Guest %s on %s: %d s%n", name, image.name(), seconds);
            done = true;
            return new GuestRun(name, lines, folder, images, console, trace);
        } finally {
            if (!done) {
                LabCache.delete(folder);
            }
        }
    }

    private Set<String> subsystems() {
        Set<String> names = new LinkedHashSet<>();
        for (Drive drive : drives) {
            String name = drive.subsystem();
            if (name != null) {
                names.add(name);
            }
        }
        return names;
    }

    private Process start(List<String> command, Path errors) throws IOException {
        try {
            return new ProcessBuilder(command)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(errors.toFile())
                    .start();
        } catch (IOException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "qemu-not-started",
                    "%s can't be started: %s".formatted(emulator.getFirst(), e.getMessage()),
                    "Install it (Debian: apt install qemu-system-x86) or put it on the PATH",
                    e);
        }
    }

    /** Waits until QEMU ends, and kills it if it exceeds its time or is silent. */
    private String await(Process qemu, List<Path> output) throws IOException, InterruptedException {
        Thread stop = Thread.ofPlatform().unstarted(qemu::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(stop);
        GuestPatience patience = new GuestPatience(limit, processors);
        try {
            while (!qemu.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                long written = 0;
                for (Path file : output) {
                    written += Files.size(file);
                }
                Duration used = qemu.info().totalCpuDuration().orElse(Duration.ZERO);
                String enough = patience.over(System.nanoTime(), used, written);
                if (enough != null) {
                    return enough;
                }
            }
            return "QEMU ended with status " + qemu.exitValue();
        } finally {
            if (qemu.isAlive()) {
                qemu.destroyForcibly();
                qemu.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
            }
            Runtime.getRuntime().removeShutdownHook(stop);
        }
    }

    private String notEnded(String end, long seconds, List<String> lines, Path console, Path errors)
            throws IOException {
        List<String> shown = new ArrayList<>(lines);
        shown.addAll(Files.readAllLines(errors, UTF_8));
        List<String> all = Files.readAllLines(console, ISO_8859_1);
        shown.addAll(all.subList(Math.max(0, all.size() - SHOWN_LINES), all.size()));
        return "guest %s did not come to its end in %d s: %s; console: %s%n%s"
                .formatted(name, seconds, end, console, String.join("\n", shown));
    }

    private List<String> base(Path linux, Path initialRoot) {
        List<String> command = new ArrayList<>();
        command.addAll(emulator);
        command.addAll(List.of("-accel", "tcg,thread=multi", "-M", "q35,kernel-irqchip=split"));
        command.addAll(List.of("-cpu", processor, "-m", memory));
        command.addAll(List.of("-smp", String.valueOf(processors)));
        command.addAll(List.of("-nodefaults", "-display", "none", "-no-reboot"));
        command.addAll(List.of("-kernel", linux.toString()));
        command.addAll(List.of("-initrd", initialRoot.toString()));
        List<String> arguments =
                new ArrayList<>(List.of("console=ttyS0", "panic=-1", "quiet", "loglevel=5"));
        // on a busy machine, Linux takes the timer for broken and panics
        arguments.add("no_timer_check");
        arguments.addAll(kernelArguments);
        command.addAll(List.of("-append", String.join(" ", arguments)));
        String device = iommu;
        if (device != null) {
            // must precede every device that it translates
            command.addAll(List.of("-device", device));
        }
        return command;
    }

    /** Concatenates the archives: what changes rarely, then program and steps. */
    private Path initialRoot(Path folder, GuestImage image, @Nullable GuestProgram program)
            throws IOException {
        Path last = folder.resolve("program.cpio");
        try (Cpio cpio = Cpio.create(last)) {
            if (program != null) {
                program.addTo(cpio, folder);
            }
            String script = String.join("\n", steps) + "\n";
            cpio.file("guest/steps", script.getBytes(UTF_8), false);
        }
        Path all = folder.resolve("initrd");
        try (OutputStream out = Files.newOutputStream(all)) {
            for (Path part : new Path[] {image.base(), image.runtime(), tools, last}) {
                if (part != null) {
                    Files.copy(part, out);
                }
            }
        }
        Files.delete(last);
        return all;
    }

    /** Returns the directory for consoles, in the build output. */
    static Path reports() {
        String module = System.getProperty("basedir", ".");
        return Path.of(module, "target", "guest").toAbsolutePath();
    }
}
