package dev.peerlane.lab.guest;

import static dev.peerlane.lab.guest.Checks.check;
import static dev.peerlane.lab.guest.Checks.same;

import dev.peerlane.PeerlaneException;
import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.open.Session;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.CancelFlag;
import dev.peerlane.p2p.CopyException;
import dev.peerlane.p2p.CopyJob;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.CopyPlan;
import dev.peerlane.p2p.Progress;
import dev.peerlane.p2p.Receipt;
import dev.peerlane.p2p.VerifyMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Copies from ssd0 to ssd1 over VFIO. Each has a region of its own, the same on both, which the
 * test outside compares in the images.
 */
public final class Copies {
    /** Blocks of a region. */
    public static final long BLOCKS = 2048;

    private static final int CMB_BAR = 2;
    private static final Path UNDER_WAY = Path.of("/tmp/under-way");

    private Copies() {}

    /** Copies a region through a buffer of the wanted kind. */
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
     * Copies while the mapping of the CMB is missing: the IOMMU refuses what the other controller
     * reads or writes there, and QEMU completes its commands with success.
     */
    static String withoutMapping(
            int region, BufferChoice choice, VerifyMode verify, String wantedCode) {
        try (Session session = Session.of(new MappingForgotten(Ssds.fabric("ssd0", "ssd1")))) {
            CopyOptions how = CopyOptions.DEFAULTS.withBuffer(choice).withVerify(verify);
            Receipt receipt = copy(session, region, how);
            throw new AssertionError("it believes that it went well: " + receipt);
        } catch (CopyException e) {
            same(wantedCode, e.code(), "the code of: " + e.explain());
            return e.explain();
        }
    }

    /** Something that goes wrong outside, while a copy runs. */
    @FunctionalInterface
    interface Accident {
        /** Makes it happen. */
        void happen() throws IOException;
    }

    /** Copies, has an accident in the middle, and wants a typed fault; then copies once more. */
    static String accident(int region, Accident accident) {
        PeerlaneException fault;
        Receipt failed;
        long start = System.nanoTime();
        ControllerOptions patience = ControllerOptions.DEFAULTS.withTimeoutNanos(2_000_000_000L);
        try (Session session = Session.of(Ssds.fabric("ssd0", "ssd1"), patience)) {
            CopyPlan plan =
                    session.plan(
                            Ssds.extent("ssd0", region * BLOCKS, BLOCKS),
                            Ssds.extent("ssd1", region * BLOCKS, BLOCKS),
                            CopyOptions.DEFAULTS
                                    .withBuffer(BufferChoice.TARGET)
                                    .withSlots(16 << 10, 4)
                                    .withCommandTimeoutNanos(2_000_000_000L));
            Once once = new Once(accident);
            try {
                new CopyJob(plan, session.fabric(), new CancelFlag()).run(once);
                throw new AssertionError("it went well in spite of the accident");
            } catch (CopyException e) {
                fault = e;
                failed = e.receipt();
            }
            check(once.happened, "there was no accident");
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        same(PeerlaneException.Category.IO, fault.category(), "category of " + fault.explain());
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            same("ok", copy(session, region, CopyOptions.DEFAULTS).result(), "the copy after it");
        }
        return "%s: %s [%d bytes copied, %d ms to the end]"
                .formatted(fault.code(), fault.explain(), failed.bytesCopied(), millis);
    }

    /** Has the accident when a quarter is done. */
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
                    throw new java.io.UncheckedIOException(e);
                }
            }
        }
    }

    /** Copies again and again until the process is killed; says in a file when it is under way. */
    public static void main(String[] arguments) throws IOException {
        int region = Integer.parseInt(arguments[0]);
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            while (true) {
                CopyPlan plan =
                        session.plan(
                                Ssds.extent("ssd0", region * BLOCKS, BLOCKS),
                                Ssds.extent("ssd1", region * BLOCKS, BLOCKS),
                                CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
                session.run(
                        plan,
                        new CancelFlag(),
                        new Once(() -> Files.writeString(UNDER_WAY, "now")));
            }
        }
    }

    /** After a killed run: its data is still in the CMB; a copy works and leaves none of it. */
    static String afterKill(int region) {
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            long before = words(session, "ssd1");
            Receipt receipt =
                    copy(session, region, CopyOptions.DEFAULTS.withBuffer(BufferChoice.TARGET));
            same("ok", receipt.result(), "the result");
            long after = words(session, "ssd1");
            check(before > 0, "the killed run left nothing, so this proves nothing");
            same(0L, after, "the number of words that are left of " + before);
            return before + " words were left, none is";
        }
    }

    /** Counts the sectors of a drive's CMB that do not begin with zeroes. */
    static long words(Session session, String serial) {
        Controller controller = session.controller(Ssds.locator(serial));
        controller.requireCmb().enable(session.fabric().dma());
        Bar bar = controller.device().bar(CMB_BAR);
        long found = 0;
        for (long at = 0; at < bar.sizeBytes(); at += 512) {
            if (bar.load64(at) != 0) {
                found++;
            }
        }
        return found;
    }

    /** Wants a refusal that names the number of bits which the IOMMU has. */
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

    /** Copies by the planner's choice, which falls back to host memory and says so. */
    static String fallsBack(int region) {
        try (Session session = Ssds.session("ssd0", "ssd1")) {
            Receipt receipt = copy(session, region, CopyOptions.DEFAULTS);
            same("ok", receipt.result(), "the result");
            Receipt.Buffer buffer = receipt.buffer();
            check(buffer != null && buffer.kind().equals("host"), "buffer: " + buffer);
            check(!receipt.notes().isEmpty(), "it fell back and said nothing");
            return receipt.notes().toString();
        }
    }
}
