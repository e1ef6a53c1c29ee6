package dev.peerlane.bench;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PeerMemory;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.nvme.NvmeBlockPort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * A program that times a whole copy between two emulated drives without limits, and its parts
 * alone. Each input line is "read", "write" or "copy" and the bytes of a command; the answer is the
 * nanoseconds for a GiB. Emulator, driver and copy share one thread, so a copy costs the sum of its
 * parts plus the work that joins them.
 */
final class CopyLoop implements AutoCloseable {
    private static final int SLOTS = 32;
    private static final int MAX_BYTES = 128 << 10;
    private static final long MEDIUM = 256L << 20;
    private static final double GIB = 1L << 30;
    private static final int PAGE = 4096;
    private static final Extent SOURCE = Extent.parse(DriveModel.LOCATOR_PREFIX + "source");
    private static final Extent TARGET = Extent.parse(DriveModel.LOCATOR_PREFIX + "target");

    private final Session session;
    private final PeerMemory memory;
    private final Namespace source;
    private final Namespace target;

    CopyLoop() {
        long cmb = 2L * SLOTS * MAX_BYTES; // includes room for sentinels
        session =
                Session.of(
                        new EmulatedFabric(
                                FabricModel.builder()
                                        .drive(
                                                DriveModel.named("source")
                                                        .memory(MEDIUM, 512)
                                                        .build())
                                        .drive(
                                                DriveModel.named("target")
                                                        .memory(MEDIUM, 512)
                                                        .cmb(CmbModel.of(cmb))
                                                        .build())
                                        .build()
                                        .hurried()));
        source = session.namespace(SOURCE);
        target = session.namespace(TARGET);
        memory = target.requireCmb();
        target.requireCmb().enable(target.dma());
        // write the whole medium first, so that no Read hits an unallocated block
        part(source, true, MAX_BYTES);
    }

    /** Returns the nanoseconds to read a GiB into the CMB, or to write a GiB from it. */
    double part(Namespace namespace, boolean write, int bytes) {
        try (NvmeBlockPort port = namespace.port(SLOTS);
                PeerBuffer buffer = memory.allocate((long) SLOTS * bytes, PAGE)) {
            int first = port.attach(buffer, 0, bytes, bytes, SLOTS);
            long start = System.nanoTime();
            Sweep.over(port, session.fabric().clock(), first, SLOTS, bytes, MEDIUM, write);
            return (System.nanoTime() - start) * GIB / MEDIUM;
        }
    }

    /** Returns the nanoseconds to copy a GiB. */
    double copy(int bytes) {
        CopyOptions how = CopyOptions.DEFAULTS.withVerify(VerifyMode.NONE).withSlots(bytes, SLOTS);
        Receipt receipt = session.copy(SOURCE, TARGET, how);
        return receipt.seconds() * 1e9 * GIB / receipt.bytesCopied();
    }

    @Override
    public void close() {
        session.close();
    }

    public static void main(String[] args) throws IOException {
        try (CopyLoop loop = new CopyLoop();
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            System.out.println("ready");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                int bytes = Integer.parseInt(words[1]);
                System.out.println(
                        switch (words[0]) {
                            case "read" -> loop.part(loop.source, false, bytes);
                            case "write" -> loop.part(loop.target, true, bytes);
                            default -> loop.copy(bytes);
                        });
            }
        }
    }
}
