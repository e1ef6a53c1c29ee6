package dev.peerlane.lab.guest;

import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.pci.ConfigSpace;
import java.io.FileWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs the guest tests named by the arguments in order, even after failures, and writes each
 * outcome to the second serial port.
 */
public final class GuestTests {
    private static final long COMMANDS_END_NANOS = 3_000_000_000L;

    /** Slot Control (PCIe 5.0, 7.5.3.10): power indicator off, power controller off. */
    private static final int SLOT_CONTROL = 0x18;

    private static final int POWER_AND_INDICATOR_OFF = 0x07;
    private static final String RESULTS = "/dev/ttyS1";

    /** A test, which fails by throwing. */
    @FunctionalInterface
    interface Body {
        /** Runs the test and returns a message about its success. */
        String run() throws Exception;
    }

    /** The region that litmus may overwrite. */
    public static final int LITMUS_REGION = 14;

    private GuestTests() {}

    private static Map<String, Body> tests() {
        Map<String, Body> tests = new LinkedHashMap<>();
        tests.put("hello", () -> "Java " + Runtime.version());
        tests.put("stores-interpreted", () -> DoorbellStores.run(0x1400));
        tests.put("stores-first-tier", () -> DoorbellStores.run(0x1420));
        tests.put("stores-second-compiler", () -> DoorbellStores.run(0x1440));
        copies(tests);
        accidents(tests);
        bindings(tests);
        tests.put("p2pmem", P2pmem::ofAllPairs);
        tests.put("probe", () -> Probes.run(false, "ssd0", "ssd1"));
        tests.put("probe-unmapped", () -> Probes.run(true, "ssd0", "ssd1"));
        return tests;
    }

    private static void bindings(Map<String, Body> tests) {
        tests.put("not-bound", () -> Binding.notBound("free"));
        tests.put("round-trip", () -> Binding.roundTrip("free"));
        tests.put("undo", () -> Binding.undo("free"));
        tests.put("unbind-in-use", () -> Binding.unbindWhileInUse("free"));
        tests.put(
                "refuse-mounted",
                () -> Binding.refused("mounted", "device-in-use", "p1", "mounted on /mnt"));
        tests.put(
                "refuse-root",
                () -> Binding.refused("mounted", "device-in-use", "holds the running root"));
        tests.put("refuse-swap", () -> Binding.refused("swap", "device-in-use", "used as swap"));
        tests.put("refuse-md", () -> Binding.refused("md", "device-in-use", "part of md7"));
        tests.put("refuse-dm", () -> Binding.refusedBelowDeviceMapper("dm"));
        tests.put("refuse-open", () -> Binding.refused("free", "device-in-use", "is open in"));
        tests.put("refuse-elsewhere", () -> Binding.refusedElsewhere("elsewhere"));
        tests.put("bind-for-another", () -> Binding.bindForAnother("free"));
        tests.put("unbind-of-another", () -> Binding.unbindOfAnother("free"));
        tests.put("refuse-shared", () -> Binding.refusedBecauseOthersMay("pair"));
        tests.put("refuse-shared-mounted", () -> Binding.refusedShared("pair"));
        tests.put("refuse-others", Binding::refusedOthers);
        tests.put("group-not-viable", () -> Binding.groupNotViable("flat0", "flat1"));
        tests.put("inventory", () -> Binding.inventory(10));
        tests.put("without-iommu", () -> Binding.withoutIommu("ssd0"));
    }

    private static void copies(Map<String, Body> tests) {
        tests.put("copy-target", () -> Copies.copy(0, BufferChoice.TARGET, "target-cmb"));
        tests.put("copy-source", () -> Copies.copy(1, BufferChoice.SOURCE, "source-cmb"));
        tests.put(
                "copy-third",
                () -> Copies.copy(2, BufferChoice.device(Ssds.locator("ssd2")), "third-party-cmb"));
        tests.put("copy-root", () -> Copies.throughTheRoot(14));
        tests.put(
                "copy-root-refused",
                () ->
                        Copies.refusedByRoute(
                                "ssd0", "root", 15, "through the root complex, untrusted"));
        tests.put("copy-host", () -> Copies.copy(3, BufferChoice.HOST, "host"));
        tests.put(
                "lost-writes",
                () ->
                        Copies.withoutMapping(
                                4, BufferChoice.TARGET, VerifyMode.AUTO, "peer-writes-lost"));
        tests.put(
                "lost-reads",
                () ->
                        Copies.withoutMapping(
                                5, BufferChoice.SOURCE, VerifyMode.HOST, "verify-mismatch"));
        tests.put(
                "lost-reads-peer-verified",
                () ->
                        Copies.withoutMapping(
                                12, BufferChoice.SOURCE, VerifyMode.PEER, "peer-writes-lost"));
        tests.put("after-kill", () -> Copies.afterKill(6));
        tests.put("program-copy", () -> Program.copy(13));
        tests.put("program-bind", () -> Program.bind("ssd0", "ssd1", "ssd2"));
        for (String fence : List.of("none", "readback", "canary", "sentinel")) {
            tests.put("litmus-" + fence, () -> Program.litmus(LITMUS_REGION, fence));
        }
        tests.put("program-sigint", Program::interrupted);
        tests.put("program-sigterm", Program::terminated);
        tests.put("program-unbind", () -> Program.unbind("ssd1"));
        tests.put("no-access-refused", () -> Copies.refusedAccesses(false));
        tests.put("accesses-refused", () -> Copies.refusedAccesses(true));
        tests.put("copy-huge-pages", () -> Copies.hugePages(16));
        tests.put("user-limited", () -> Copies.memoryLimit("65536"));
        tests.put("user-copy", () -> Copies.copy(17, BufferChoice.HOST, "host"));
        tests.put("user-peer", () -> Copies.refusedByRoute("ssd0", "ssd1", 15, "(only root may)"));
        tests.put("beyond-auto", () -> Copies.fallsBack(1));
        tests.put("beyond-39-bits", () -> Copies.beyondTheIommu(0, 39));
    }

    private static void accidents(Map<String, Body> tests) {
        tests.put("reset-source", () -> Copies.accident(7, "ssd0", () -> reset("ssd0")));
        tests.put("reset-target", () -> Copies.accident(8, "ssd1", () -> reset("ssd1")));
        tests.put("decode-off-source", () -> Copies.accident(9, "ssd0", () -> decodeOff("ssd0")));
        tests.put("decode-off-target", () -> Copies.accident(10, "ssd1", () -> decodeOff("ssd1")));
        tests.put("unplug-target", () -> Copies.unplugged(18, "pulled", () -> unplug("pulled")));
        tests.put("revoked-mapping", () -> RevokedMapping.run("ssd0"));
        tests.put("interrupts", () -> Messages.arrive("ssd0"));
        tests.put("io-addresses", () -> IoAddresses.areFree("ssd0", "ssd1"));
    }

    /**
     * Powers off a drive's slot, like a surprise removal, once the commands have ended, as in
     * {@link #reset}.
     */
    private static void unplug(String serial) throws IOException {
        LockSupport.parkNanos(COMMANDS_END_NANOS);
        Path port = Ssds.sysfs(serial).toRealPath().resolve("../config");
        try (RandomAccessFile config = new RandomAccessFile(port.toFile(), "rw")) {
            int at = capability(config, ConfigSpace.CAP_PCI_EXPRESS) + SLOT_CONTROL;
            config.seek(at);
            int low = config.read();
            int high = config.read();
            config.seek(at);
            config.write(low);
            config.write(high | POWER_AND_INDICATOR_OFF);
        }
    }

    private static int capability(RandomAccessFile config, int id) throws IOException {
        int at = ConfigSpace.CAPABILITIES;
        config.seek(at);
        at = config.read();
        while (at > 0) {
            config.seek(at);
            if (config.read() == id) {
                return at;
            }
            at = config.read();
        }
        throw new IOException("no capability " + id);
    }

    /**
     * Resets a function behind VFIO's back once the commands in flight have ended; QEMU 7.2 crashes
     * if any remain.
     */
    private static void reset(String serial) throws IOException {
        LockSupport.parkNanos(COMMANDS_END_NANOS);
        Files.writeString(Ssds.sysfs(serial).resolve("reset"), "1");
    }

    /** Clears Memory Space Enable behind VFIO's back, so that the registers read as all ones. */
    private static void decodeOff(String serial) throws IOException {
        try (RandomAccessFile config =
                new RandomAccessFile(Ssds.sysfs(serial).resolve("config").toFile(), "rw")) {
            config.seek(ConfigSpace.COMMAND);
            int low = config.read();
            config.seek(ConfigSpace.COMMAND);
            config.write(low & ~ConfigSpace.COMMAND_MEMORY);
        }
    }

    /** Runs tests. */
    public static void main(String[] names) throws IOException {
        Map<String, Body> tests = tests();
        for (String name : names) {
            say(name, "BEGIN", "");
            try {
                Body body = tests.get(name);
                if (body == null) {
                    throw new IllegalArgumentException("unknown test");
                }
                long start = System.nanoTime();
                String detail = body.run();
                say(name, "PASS", detail + " (" + (System.nanoTime() - start) / 1_000_000 + " ms)");
            } catch (Throwable e) {
                e.printStackTrace();
                say(name, "FAIL", String.valueOf(e));
            }
        }
    }

    private static void say(String name, String verdict, String detail) throws IOException {
        String line = "PEERLANE-TEST %s %s %s%n".formatted(name, verdict, oneLine(detail));
        try (Writer results = new FileWriter(RESULTS, StandardCharsets.UTF_8)) {
            results.write(line);
        }
        System.out.print(line);
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
