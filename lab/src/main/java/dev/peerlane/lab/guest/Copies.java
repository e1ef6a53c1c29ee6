package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.copy.engine.CopyJob;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

/**
 * Copies from ssd0 to ssd1 over VFIO. Each copy has its own region, the same on both drives, which
 * the test on the host compares in the images.
 */
public final class Copies {
    /** The number of blocks of a region. */
    public static final long BLOCKS = 2048;

    private static final int CMB_BAR = 2;
    private static final Path UNDER_WAY = Path.of("/tmp/under-way");

    private Copies() {}

    /** Copies a region through a buffer of the expected kind. */
    static String copy(int region, BufferChoice choice, String wantedKind) {
        boolean third = choice.locator() != null;
        try (Session session =
                third ? Ssds.session("ssd0", "ssd1", "ssd2") : Ssds.session("ssd0", "ssd1")) {
            Receipt receipt = copy(session, region, CopyOptions.DEFAULTS.withBuffer(choice));
            same("ok", receipt.result(), "the result");
            Receipt.Buffer buffer = receipt.buffer();
            check(buffer != null && buffer.kind().equals(wantedKind), "buffer: " + buffer);
            same(BLOCKS * 512, receipt.bytesCopied(), "the number of bytes");
            same("ok", receipt.verify().result(), "the verification");
            return buffer + ", " + receipt.verify().method() + ", fence " + receipt.fence();
        }
    }

    private static Receipt copy(Session session, int region, CopyOptions options) {
        return session.copy(
                Ssds.extent("ssd0", region * BLOCKS, BLOCKS),
                Ssds.extent("ssd1", region * BLOCKS, BLOCKS),
                options);
    }

    /**
     * Copies while the CMB is not mapped. The IOMMU refuses the other controller's accesses to it,
     * but QEMU completes the commands with success.
     */
    static String withoutMapping(
            int region, BufferChoice choice, VerifyMode verify, String wantedCode) {
        try (Session session = Session.of(new MappingForgotten(Ssds.fabric("ssd0", "ssd1")))) {
            CopyOptions how = CopyOptions.DEFAULTS.withBuffer(choice).withVerify(verify);
            Receipt receipt = copy(session, region, how);
            throw new AssertionError("the copy succeeded: " + receipt);
        } catch (CopyException e) {
            same(wantedCode, e.code(), "the code of: " + e.explain());
            return e.explain();
        }
    }

    /** A failure injected while a copy runs. */
    @FunctionalInterface
    interface Accident {
        /** Causes the failure. */
        void happen() throws IOException;
    }

    /**
     * Injects a failure of one drive in the middle of a copy. Expects a typed fault that names it
     * and reports the other drive as ready, then copies again.
     */
    static String accident(int region, String hurt, Accident accident) {
        String told = faultOf("ssd1", region, hurt, accident);
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            same("ok", copy(session, region, CopyOptions.DEFAULTS).result(), "the copy after it");
        }
        return told;
    }

    /**
     * Removes a target from its slot in the middle of a copy; the other drives continue. On close,
     * Linux would reset the function and then the slot, waiting a minute each time for the missing
     * drive. The function reset is disabled here.
     */
    static String unplugged(int region, String target, Accident accident) throws IOException {
        Files.writeString(Ssds.sysfs(target).resolve("reset_method"), "\n");
        String told = faultOf(target, region, target, accident);
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            same("ok", copy(session, region, CopyOptions.DEFAULTS).result(), "the copy after it");
        }
        return told;
    }

    private static String faultOf(String target, int region, String hurt, Accident accident) {
        CopyException fault;
        long start = System.nanoTime();
        ControllerOptions patience = ControllerOptions.DEFAULTS.withTimeoutNanos(2_000_000_000L);
        try (Session session = Session.of(Ssds.fabric("ssd0", target), patience)) {
            CopyPlan plan =
                    session.plan(
                            Ssds.extent("ssd0", region * BLOCKS, BLOCKS),
                            Ssds.extent(target, region * BLOCKS, BLOCKS),
                            CopyOptions.DEFAULTS
                                    .withBuffer(BufferChoice.TARGET)
                                    .withSlots(16 << 10, 4)
                                    .withCommandTimeoutNanos(2_000_000_000L));
            Once once = new Once(accident);
            try {
                new CopyJob(plan, Surroundings.of(session.fabric()), new CancelFlag()).run(once);
                throw new AssertionError("the copy succeeded in spite of the failure");
            } catch (CopyException e) {
                fault = e;
            }
            check(once.happened, "the failure was not injected");
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        same(PeerlaneException.Category.IO, fault.category(), "category of " + fault.explain());
        Receipt.Failure error = Objects.requireNonNull(fault.receipt().error());
        String source = String.valueOf(error.sourceCondition());
        String other = String.valueOf(error.targetCondition());
        boolean sourceHurt = hurt.equals("ssd0");
        same(BlockPort.READY, sourceHurt ? other : source, "the condition of the one that is well");
        check(!BlockPort.READY.equals(sourceHurt ? source : other), fault.explain());
        return "%s: %s [%d bytes copied, %d ms to the end]"
                .formatted(fault.code(), fault.explain(), fault.receipt().bytesCopied(), millis);
    }

    /** Injects the failure when a quarter is done. */
    private static final class Once implements Progress {
        private final Accident accident;
        private boolean happened;

        Once(Accident accident) {
            this.accident = accident;
        }

        @Override
        public void update(Phase phase, long done, long total) {
            if (!happened && done > 0) {
                happened = true;
                try {
                    accident.happen();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    /** Blocks in the middle of a copy until the process is killed, and reports this by a file. */
    public static void main(String[] arguments) {
        int region = Integer.parseInt(arguments[0]);
        Accident stop =
                () -> {
                    Files.writeString(UNDER_WAY, "now");
                    while (true) {
                        LockSupport.park();
                    }
                };
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            CopyPlan plan =
                    session.plan(
                            Ssds.extent("ssd0", region * BLOCKS, BLOCKS),
                            Ssds.extent("ssd1", region * BLOCKS, BLOCKS),
                            CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
            session.run(plan, new CancelFlag(), new Once(stop));
        }
    }

    /**
     * Checks that data of a killed run is still in the CMB, and that the next copy works and
     * removes all of it, although it needs less of the CMB.
     */
    static String afterKill(int region) {
        long before = wordsAsFound("ssd1");
        check(before > 0, "the killed run left no data, so the test proves nothing");
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            Receipt receipt =
                    copy(
                            session,
                            region,
                            CopyOptions.DEFAULTS
                                    .withBuffer(BufferChoice.TARGET)
                                    .withSlots(16 << 10, 4));
            same("ok", receipt.result(), "the result");
            long after = words(session, "ssd1");
            same(0L, after, "the number of words that are left of " + before);
        }
        return before + " words were left, none is";
    }

    /** Counts the sectors of a drive's CMB that do not begin with zeroes. */
    static long words(Session session, String serial) {
        return words(session.controller(Ssds.locator(serial)), session.fabric());
    }

    /**
     * Counts the same without a session, because a session would first overwrite the data of a
     * killed run.
     */
    static long wordsAsFound(String serial) {
        try (Fabric fabric = Ssds.fabric(serial);
                Controller raw =
                        Controller.open(fabric, Ssds.locator(serial), ControllerOptions.DEFAULTS)) {
            return words(raw, fabric);
        }
    }

    private static long words(Controller controller, Fabric fabric) {
        controller.requireCmb().enable(fabric.dma());
        Bar bar = controller.device().bar(CMB_BAR);
        long found = 0;
        for (long at = 0; at < bar.sizeBytes(); at += 512) {
            if (bar.load64(at) != 0) {
                found++;
            }
        }
        return found;
    }

    /** Expects a refusal that names the number of address bits of the IOMMU. */
    static String beyondTheIommu(int region, int bits) {
        try (Fabric fabric = Ssds.fabric("ssd0", "ssd1");
                Session session = Session.of(fabric)) {
            copy(session, region, CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
            throw new AssertionError("it was not refused");
        } catch (PeerlaneException e) {
            String text = e.explain();
            check(text.contains(bits + " bits") || text.contains(bits + "-bit"), text);
            return e.code() + ": " + text;
        }
    }

    /** Copies with default options, which fall back to host memory and report it. */
    static String fallsBack(int region) {
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            Receipt receipt = copy(session, region, CopyOptions.DEFAULTS);
            same("ok", receipt.result(), "the result");
            Receipt.Buffer buffer = receipt.buffer();
            check(buffer != null && buffer.kind().equals("host"), "buffer: " + buffer);
            check(!receipt.notes().isEmpty(), "it fell back without a note");
            return receipt.notes().toString();
        }
    }

    /**
     * Copies to a drive on its own root port. ACS redirects its traffic to the root complex, which
     * is declared to forward it.
     */
    static String throughTheRoot(int region) {
        try (Session session = Session.of(new TrustedRoot(Ssds.fabric("ssd0", "root")))) {
            Receipt receipt =
                    session.copy(
                            Ssds.extent("ssd0", region * BLOCKS, BLOCKS),
                            Ssds.extent("root", region * BLOCKS, BLOCKS),
                            CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
            same("ok", receipt.result(), "the result");
            String route = receipt.route().toString();
            check(route.contains("through the root complex, trusted"), route);
            return route;
        }
    }

    /** Expects that peer-to-peer is refused because of the route, with certain words. */
    static String refusedByRoute(String source, String target, int region, String words) {
        try (Session session = Ssds.session(source, target)) {
            session.copy(
                    Ssds.extent(source, region * BLOCKS, BLOCKS),
                    Ssds.extent(target, region * BLOCKS, BLOCKS),
                    CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
            throw new AssertionError("it was not refused");
        } catch (PeerlaneException e) {
            same(PeerlaneException.Category.REFUSED, e.category(), "category of " + e.explain());
            check(e.explain().contains(words), e.explain());
            return e.explain();
        }
    }

    /** Copies with DMA memory from the pool of huge pages, as far as they suffice. */
    static String hugePages(int region) throws IOException {
        long before = freeHugePages();
        check(before > 0, "there are no huge pages");
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            CopyOptions host = CopyOptions.DEFAULTS.withBuffer(BufferChoice.HOST);
            same("ok", copy(session, region, host).result(), "the result");
            long during = freeHugePages();
            check(during < before, "%d are free, %d were before".formatted(during, before));
        }
        same(before, freeHugePages(), "the number of free huge pages in the end");
        return before + " huge pages";
    }

    private static long freeHugePages() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
            if (line.startsWith("HugePages_Free:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("no HugePages_Free in /proc/meminfo");
    }

    /** Expects a refusal that states the limit on locked memory. */
    static String memoryLimit(String wanted) {
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            copy(session, 0, CopyOptions.DEFAULTS);
            throw new AssertionError("the limit had no effect");
        } catch (PeerlaneException e) {
            same("memlock-limit", e.code(), "the code of: " + e.explain());
            check(e.explain().contains(wanted), e.explain());
            return e.explain();
        }
    }

    /** Counts device accesses that the IOMMU has refused since boot. */
    private static long refusedAccesses() throws IOException {
        Process dmesg = new ProcessBuilder("/bin/dmesg").redirectErrorStream(true).start();
        try (var lines = dmesg.inputReader().lines()) {
            return lines.filter(line -> line.contains("DMAR: [") && line.contains("fault addr"))
                    .count();
        }
    }

    /** Checks whether the IOMMU has refused any accesses so far. */
    static String refusedAccesses(boolean wanted) throws IOException {
        long refused = refusedAccesses();
        check(refused > 0 == wanted, "the IOMMU has refused " + refused + " accesses");
        return refused + " accesses refused";
    }
}
