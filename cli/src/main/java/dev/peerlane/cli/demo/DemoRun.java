package dev.peerlane.cli.demo;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.terminal.ProgressDisplay;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.spec.CommandSet;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Runs the same copy twice, by two routes, between two emulated SSDs in image files. */
final class DemoRun {
    static final String ALGORITHM = "SHA-256";
    static final int UNIT_BYTES = 64 * 1024;
    private static final int BLOCK_BYTES = 512;
    private static final long WARM_UP_BYTES = 16L << 20;
    private static final long CMB_BYTES = 16L << 20;
    private static final String SOURCE = "ssd0";
    private static final String TARGET = "ssd1";

    private final Context context;
    private final long bytes;
    private final Path source;
    private final Path target;

    private DemoRun(Context context, long bytes, Path folder) {
        this.context = context;
        this.bytes = bytes;
        source = folder.resolve(SOURCE + ".img");
        target = folder.resolve(TARGET + ".img");
    }

    /**
     * One copy.
     *
     * @param receipt its receipt
     * @param targetSum the checksum of the target's image afterwards
     */
    record Copied(Receipt receipt, String targetSum) {}

    /**
     * Both copies.
     *
     * @param sourceSum the checksum of the source's image
     * @param peer the copy through the target's CMB
     * @param host the copy through host memory
     */
    record Outcome(String sourceSum, Copied peer, Copied host) {
        /** Returns the first error found, or null. */
        @Nullable PeerlaneException problem() {
            String what = null;
            Long hostData = peer.receipt().hostDataBytes();
            if (!peer.targetSum().equals(sourceSum)) {
                what =
                        "the target's image differs from the source's after the copy through its"
                                + " CMB";
            } else if (!host.targetSum().equals(sourceSum)) {
                what =
                        "the target's image differs from the source's after the copy through host"
                                + " memory";
            } else if (hostData == null || hostData != 0) {
                what = hostData + " data bytes of the peer-to-peer copy crossed host memory";
            } else if (!peer.receipt().verify().result().equals("ok")
                    || !host.receipt().verify().result().equals("ok")) {
                what = "a copy was not verified";
            }
            return what == null
                    ? null
                    : PeerlaneException.io("demo-failed", what, "This is a bug: report it");
        }
    }

    /** Creates the SSDs, copies twice, and removes the images. */
    static Outcome run(Context context, long bytes) throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir", "."));
        Path folder = Files.createTempDirectory(temporary, "peerlane-demo");
        DemoRun demo = new DemoRun(context, bytes, folder);
        try {
            demo.generate();
            String sum = demo.sum(demo.source);
            // Both copies are warmed up, or the first would pay for compiling code that both use.
            demo.copy(BufferChoice.TARGET, Math.min(bytes, WARM_UP_BYTES), Progress.NONE);
            demo.copy(BufferChoice.HOST, Math.min(bytes, WARM_UP_BYTES), Progress.NONE);
            Copied peer = demo.timed(BufferChoice.TARGET);
            Copied host = demo.timed(BufferChoice.HOST);
            return new Outcome(sum, peer, host);
        } finally {
            Files.deleteIfExists(demo.source);
            Files.deleteIfExists(demo.target);
            Files.deleteIfExists(folder);
        }
    }

    private void generate() throws IOException {
        SplittableRandom random = new SplittableRandom(bytes);
        byte[] piece = new byte[UNIT_BYTES];
        try (OutputStream out = Files.newOutputStream(source)) {
            for (long done = 0; done < bytes; done += piece.length) {
                context.interruption().check();
                random.nextBytes(piece);
                out.write(piece);
            }
        }
    }

    private Copied timed(BufferChoice buffer) throws IOException {
        Files.deleteIfExists(target);
        Receipt receipt =
                ProgressDisplay.during(
                        context.terminal(), progress -> copy(buffer, bytes, progress));
        return new Copied(receipt, sum(target));
    }

    private Receipt copy(BufferChoice buffer, long length, Progress progress) {
        FabricModel fabric =
                FabricModel.builder()
                        .drive(drive(SOURCE, source, 0))
                        .drive(drive(TARGET, target, 1))
                        .build();
        try (Session session = Session.of(new EmulatedFabric(fabric))) {
            CopyPlan plan =
                    session.plan(
                            new Extent("emu:" + SOURCE, 1, 0L, length / BLOCK_BYTES),
                            Extent.parse("emu:" + TARGET),
                            CopyOptions.DEFAULTS.withBuffer(buffer).withOverwrite(true));
            return session.run(plan, context.interruption().flag(), progress);
        }
    }

    private DriveModel drive(String name, Path image, int id) {
        return DriveModel.named(name)
                .namespace(
                        new NamespaceModel(bytes, image, BLOCK_BYTES, false, 0, 0, CommandSet.NVM))
                .serial("DEMO-" + name)
                .controllerId(id)
                .cmb(CmbModel.of(CMB_BYTES))
                .build();
    }

    /** Returns the checksum of an image, read as a plain file and not through the copy's code. */
    private String sum(Path image) throws IOException {
        try (InputStream in = Files.newInputStream(image)) {
            MessageDigest digest = MessageDigest.getInstance(ALGORITHM);
            byte[] piece = new byte[UNIT_BYTES];
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                context.interruption().check();
                digest.update(piece, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
