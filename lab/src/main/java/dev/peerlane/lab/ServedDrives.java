package dev.peerlane.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.peerlane.PeerlaneException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./dev serve-qemu}: tests drives of {@code peerlane serve} with an independent guest.
 * QEMU's vfio-user-pci device is the client, and Linux's nvme driver uses the drives: file systems,
 * fio with verification, resets. Afterwards the images are checked on this machine.
 *
 * <p>The exit status is 0 on success, 1 on failure, {@value #NOT_RUN} if it can't run here.
 */
public final class ServedDrives {
    /** The exit status of a test that was not run, as in automake. */
    static final int NOT_RUN = 77;

    private static final String DEVICE = "vfio-user-pci";
    private static final long IMAGE_BYTES = 192L << 20;

    /** A drive of the server. Its name is also its serial number. */
    private record Served(String name, String rest, List<String> perils) {}

    private static final List<Served> DRIVES =
            List.of(
                    new Served(
                            "disk0",
                            "blockBytes: 512",
                            List.of("reset", "function-reset", "probe")),
                    new Served(
                            "disk1",
                            "blockBytes: 4096, cmb: {size: 4MiB, cdpcils: true}",
                            List.of("reset", "probe")));

    private ServedDrives() {}

    /** Runs the test. The argument is the launcher. */
    public static void main(String[] arguments) throws IOException {
        System.exit(run(Path.of(arguments[0])));
    }

    private static int run(Path launcher) throws IOException {
        GuestTools tools;
        try {
            tools = GuestTools.ready();
            requireDevice();
            GuestImage.withoutJava(KernelSource.SID);
        } catch (PeerlaneException e) {
            System.out.println("not run: " + e.getMessage());
            return NOT_RUN;
        }
        Path folder = Files.createTempDirectory("peerlane-served");
        try {
            run(launcher, folder, tools);
            return 0;
        } catch (AssertionError e) {
            System.out.println("failed: " + e.getMessage());
            return 1;
        } finally {
            LabCache.delete(folder);
        }
    }

    private static void requireDevice() throws IOException {
        List<String> question = new ArrayList<>(SidQemu.command());
        question.addAll(List.of("-device", DEVICE + ",help"));
        try {
            Tool.run(LabCache.folder(), question);
        } catch (PeerlaneException e) {
            throw new PeerlaneException(
                    PeerlaneException.Category.MACHINE,
                    "no-vfio-user",
                    "the QEMU of Debian sid has no device " + DEVICE,
                    "Take another day's",
                    e);
        }
    }

    private static void run(Path launcher, Path folder, GuestTools tools) throws IOException {
        StringBuilder yaml = new StringBuilder("kind: emulator\ndrives:\n");
        for (Served drive : DRIVES) {
            Path image = folder.resolve(drive.name() + ".img");
            try (RandomAccessFile made = new RandomAccessFile(image.toFile(), "rw")) {
                made.setLength(IMAGE_BYTES);
            }
            yaml.append(
                    "  - {name: %s, image: %s, serial: %s, %s}%n"
                            .formatted(drive.name(), image, drive.name(), drive.rest()));
        }
        Path fabric = Files.writeString(folder.resolve("drives.yaml"), yaml);
        Path said = Files.createDirectories(Guest.reports()).resolve("served.server");
        Process server =
                new ProcessBuilder(
                                launcher.toString(),
                                "serve",
                                folder.toString(),
                                "--fabric",
                                fabric.toString())
                        .redirectError(said.toFile())
                        .start();
        try {
            List<Path> sockets = sockets(server, said);
            try (GuestRun run = guest(tools, sockets).run()) {
                judge(run, folder, tools);
            } catch (AssertionError e) {
                throw new AssertionError(
                        e.getMessage() + "\nserver: " + Files.readString(said).strip(), e);
            }
        } finally {
            stop(server);
        }
    }

    private static List<Path> sockets(Process server, Path said) throws IOException {
        List<Path> sockets = new ArrayList<>();
        BufferedReader out = server.inputReader(UTF_8);
        for (int i = 0; i < DRIVES.size(); i++) {
            String line = out.readLine();
            if (line == null) {
                throw new AssertionError("the server ended: " + Files.readString(said));
            }
            sockets.add(Path.of(line.substring(line.indexOf(':') + 1)));
        }
        return sockets;
    }

    private static Guest guest(GuestTools tools, List<Path> sockets) throws IOException {
        List<String> serials = DRIVES.stream().map(Served::name).toList();
        Guest guest =
                Guest.named("served")
                        .kernel(KernelSource.SID)
                        .qemuOfSid()
                        .memory("768M")
                        .qemu("-object", "memory-backend-memfd,id=ram,size=768M,share=on")
                        .qemu("-machine", "memory-backend=ram")
                        .toolsInsteadOfJava(tools.archive())
                        .limit(Duration.ofMinutes(8))
                        .step("SERIALS='" + String.join(" ", serials) + "'")
                        .step(steps());
        for (Path socket : sockets) {
            guest.qemu(
                    "-device",
                    "{\"driver\":\"%s\",\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}"
                            .formatted(DEVICE, socket));
        }
        return guest;
    }

    private static String steps() throws IOException {
        try (InputStream script = ServedDrives.class.getResourceAsStream("served-steps.sh")) {
            if (script == null) {
                throw new IOException("served-steps.sh is not on the class path");
            }
            return new String(script.readAllBytes(), UTF_8);
        }
    }

    /** Checks the images after the guest has reported success. */
    private static void judge(GuestRun run, Path folder, GuestTools tools) throws IOException {
        for (Served drive : DRIVES) {
            String name = drive.name();
            String interrupts = run.passed(name);
            String sum = run.passed(name + "-sum");
            for (String peril : drive.perils()) {
                String after = run.passed(name + "-" + peril);
                if (!after.equals(sum)) {
                    throw new AssertionError(
                            "%s holds other data after the %s: %s, not %s"
                                    .formatted(name, peril, after, sum));
                }
            }
            Path image = folder.resolve(name + ".img");
            tool(tools, folder, "usr/sbin/e2fsck", "-fn", image.toString());
            Path proof = folder.resolve("proof");
            tool(tools, folder, "usr/sbin/debugfs", "-R", "dump /proof " + proof, image.toString());
            String found = sha256(Files.readAllBytes(proof));
            if (!found.equals(sum)) {
                throw new AssertionError(
                        "%s: the image has %s, the guest wrote %s".formatted(image, found, sum));
            }
            System.out.printf(
                    "%s: ext4, fio with verification, %s; %s; image and data checked%n",
                    name, String.join(", ", drive.perils()), interrupts);
        }
        System.out.println("kernel: " + run.passed("dmesg"));
    }

    private static void tool(GuestTools tools, Path folder, String program, String... arguments) {
        List<String> command = new ArrayList<>(tools.root().command(program));
        command.addAll(List.of(arguments));
        try {
            Tool.run(folder, command);
        } catch (PeerlaneException e) {
            throw new AssertionError(e.getMessage(), e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void stop(Process server) {
        server.destroy();
        try {
            if (!server.waitFor(20, TimeUnit.SECONDS)) {
                server.destroyForcibly();
            }
        } catch (InterruptedException e) {
            server.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
