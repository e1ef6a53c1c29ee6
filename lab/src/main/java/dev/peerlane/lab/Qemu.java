package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.qtest.QtestFabric;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU machine with NVMe controllers whose processor never starts. A test drives the controllers
 * through the qtest socket. It uses only software emulation, so it runs on any machine with QEMU.
 * Closing it ends the process and deletes its files.
 */
public final class Qemu implements AutoCloseable {
    private static final String BINARY = "qemu-system-x86_64";
    private static final long START_NANOS = 30_000_000_000L;
    private static final long STOP_MILLIS = 5_000;
    private static final int SHOWN_BYTES = 4096;

    private final Process process;
    private final Path directory;
    private final Path errors;
    private final Path socket;
    private final Path ram;
    private final Map<String, Path> images;

    private Qemu(
            Process process,
            Path directory,
            Path errors,
            Path socket,
            Path ram,
            Map<String, Path> images) {
        this.process = process;
        this.directory = directory;
        this.errors = errors;
        this.socket = socket;
        this.ram = ram;
        this.images = images;
    }

    /** Creates a builder for a machine with 256 MiB of RAM, no IOMMU and no drives. */
    public static Builder machine() {
        return new Builder();
    }

    /** Describes a machine. */
    public static final class Builder {
        private final List<Drive> drives = new ArrayList<>();
        private String binary = BINARY;
        private int ramMib = 256;
        private @Nullable String iommu;

        private Builder() {}

        /** Adds a drive. */
        public Builder drive(Drive drive) {
            drives.add(drive);
            return this;
        }

        /** Sets the size of its RAM, at most 2048. */
        public Builder ramMib(int mebibytes) {
            ramMib = mebibytes;
            return this;
        }

        /** Adds an Intel IOMMU with addresses of 39 or 48 bits. */
        public Builder iommu(int addressBits) {
            iommu = "intel-iommu,aw-bits=" + addressBits;
            return this;
        }

        /** Uses another QEMU program. */
        public Builder binary(String program) {
            binary = program;
            return this;
        }

        /**
         * Starts the machine and waits until it answers.
         *
         * @throws PeerlaneException if QEMU is missing or does not start; the message has its
         *     output
         */
        public Qemu start() {
            Path directory = null;
            try {
                directory = Files.createTempDirectory("peerlane-lab");
                return start(directory);
            } catch (IOException e) {
                delete(directory);
                throw new PeerlaneException(
                        Category.MACHINE,
                        "qemu-not-started",
                        "%s can't be started: %s".formatted(binary, e.getMessage()),
                        "Install it (Debian: apt install qemu-system-x86) or put it on the PATH",
                        e);
            } catch (RuntimeException e) {
                delete(directory);
                throw e;
            }
        }

        private Qemu start(Path directory) throws IOException {
            Path socket = directory.resolve("qtest.sock");
            Path ram = directory.resolve("ram");
            Path errors = directory.resolve("errors");
            Map<String, Path> images = new LinkedHashMap<>();
            List<String> command = base(socket, ram);
            if (iommu != null) {
                command.add("-device");
                command.add(iommu);
            }
            Ports ports = new Ports(command);
            for (Drive drive : drives) {
                Path image = drive.image();
                if (image == null) {
                    image = sparse(directory.resolve(drive.name() + ".img"), drive.sizeBytes());
                }
                images.put(drive.name(), image);
                Path pmr = drive.pmrMib() == 0 ? null : directory.resolve(drive.name() + ".pmr");
                command.addAll(drive.arguments(image, pmr, ports.below(drive)));
            }
            Process process =
                    new ProcessBuilder(command)
                            .redirectInput(
                                    ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(errors.toFile())
                            .start();
            Qemu qemu = new Qemu(process, directory, errors, socket, ram, images);
            try {
                qemu.awaitAnswer();
            } catch (RuntimeException e) {
                qemu.close();
                throw e;
            }
            return qemu;
        }

        private List<String> base(Path socket, Path ram) {
            List<String> command = new ArrayList<>();
            command.add(binary);
            command.addAll(List.of("-accel", "tcg", "-S", "-M", "q35,memory-backend=ram0"));
            command.addAll(List.of("-m", ramMib + "M", "-nodefaults", "-display", "none"));
            command.add("-qtest");
            command.add("unix:%s,server=on,wait=off".formatted(Drive.escape(socket)));
            command.addAll(List.of("-qtest-log", "/dev/null", "-object"));
            command.add(
                    "memory-backend-file,id=ram0,size=%dM,mem-path=%s,share=on"
                            .formatted(ramMib, Drive.escape(ram)));
            return command;
        }

        private static Path sparse(Path file, long bytes) throws IOException {
            try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
                made.setLength(bytes);
            }
            return file;
        }
    }

    /** Returns the qtest socket. */
    public Path socket() {
        return socket;
    }

    /** Returns the file that backs the RAM. */
    public Path ram() {
        return ram;
    }

    /** Returns the image behind a drive. */
    public Path image(String drive) {
        Path image = images.get(drive);
        if (image == null) {
            throw new IllegalArgumentException("no drive " + drive + " among " + images.keySet());
        }
        return image;
    }

    /** Attaches to the machine. Close the fabric before attaching again. */
    public QtestFabric attach() {
        try {
            return QtestFabric.attach(socket, ram);
        } catch (PeerlaneException e) {
            throw new PeerlaneException(
                    e.category(), e.code(), e.getMessage() + written(), e.remedy(), e);
        }
    }

    /** Returns QEMU's standard error so far. */
    public String errors() {
        try {
            byte[] text = Files.readAllBytes(errors);
            int from = Math.max(0, text.length - SHOWN_BYTES);
            return new String(text, from, text.length - from, UTF_8).strip();
        } catch (IOException e) {
            return "(" + e + ")";
        }
    }

    private String written() {
        String text = errors();
        return text.isEmpty() ? "" : "; QEMU wrote: " + text;
    }

    private void awaitAnswer() {
        long start = System.nanoTime();
        try (Probe probe = new Probe(socket)) {
            while (!probe.answered()) {
                if (process.waitFor(1, TimeUnit.MILLISECONDS)) {
                    throw notStarted("ended at its start with status " + process.exitValue());
                }
                if (System.nanoTime() - start > START_NANOS) {
                    throw notStarted("did not answer in time");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw notStarted("was interrupted at its start");
        }
    }

    /** Sends one request, which QEMU answers once its devices exist. Never blocks. */
    private static final class Probe implements AutoCloseable {
        private final Path socket;
        private @Nullable SocketChannel channel;

        Probe(Path socket) {
            this.socket = socket;
        }

        boolean answered() {
            try {
                SocketChannel to = channel;
                if (to == null) {
                    to = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                    channel = to;
                    to.configureBlocking(false);
                    to.write(ByteBuffer.wrap("endianness\n".getBytes(UTF_8)));
                }
                return to.read(ByteBuffer.allocate(64)) > 0;
            } catch (IOException e) {
                return false; // not started yet, or ending: the process state shows which
            }
        }

        @Override
        public void close() {
            try {
                if (channel != null) {
                    channel.close();
                }
            } catch (IOException e) {
                // QEMU still sees the end of the stream when this process ends
            }
        }
    }

    private PeerlaneException notStarted(String what) {
        return PeerlaneException.machine(
                "qemu-not-started",
                BINARY + " " + what + written(),
                "See what it wrote, and that this QEMU is 7.2 or later");
    }

    /** Kills the process, as a crash would. The files stay until it is closed. */
    public void kill() {
        process.destroyForcibly();
    }

    /** Ends the process that was started and deletes its files. */
    @Override
    public void close() {
        process.destroy();
        boolean interrupted = false;
        try {
            if (!process.waitFor(STOP_MILLIS, TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                process.waitFor(STOP_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            interrupted = true;
        }
        delete(directory);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void delete(@Nullable Path directory) {
        if (directory == null || !Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new PeerlaneException(
                    Category.MACHINE,
                    "lab-not-cleaned",
                    "%s can't be deleted: %s".formatted(directory, e),
                    "Delete it by hand",
                    e);
        }
    }
}
