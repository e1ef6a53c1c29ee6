package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.emulator.CmbSpec;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.emulator.NamespaceSpec;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.Mischief;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.open.Extent;
import dev.peerlane.open.Session;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.vfiouser.Mapping;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server of b maps every file that it was handed, and looks for what is a's. */
class WhatAServerGetsTest {
    private static final int SIZE = 1 << 20;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;

    @TempDir private Path folder;
    private final byte[] content = new byte[SIZE];
    private Server server;
    private Eavesdropper spy;
    private VfioUserFabric fabric;

    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return System.nanoTime();
                }

                @Override
                public void turn() {
                    server.turn();
                    spy.turn();
                }
            };

    @BeforeEach
    void serve() throws IOException {
        new SplittableRandom(41).nextBytes(content);
        FabricSpec.Builder spec = FabricSpec.builder();
        for (String name : new String[] {"a", "b"}) {
            Path image = Files.write(folder.resolve(name + ".img"), content);
            spec.drive(
                    DriveSpec.named(name)
                            .namespace(NamespaceSpec.image(image, 512))
                            .cmb(CmbSpec.of(256 << 10))
                            .build());
        }
        server = Server.open(spec.build(), folder, note -> {});
        spy = new Eavesdropper(folder.resolve("spy"), server.sockets().get(1));
        fabric =
                VfioUserFabric.open(
                        List.of(server.sockets().get(0), folder.resolve("spy")),
                        clock,
                        TIMEOUT_NANOS);
    }

    @AfterEach
    void close() {
        fabric.close();
        spy.close();
        server.close();
    }

    private boolean isHanded(Predicate<MemorySegment> page) {
        for (int fd : spy.handed()) {
            long bytes = MemoryFile.sizeBytes(fd);
            try (Mapping all = Mapping.of(fd, 0, bytes, "what was handed")) {
                long at = Mischief.nextWritten(fd, 0);
                while (at >= 0) {
                    if (page.test(all.segment().asSlice(at, 4096))) {
                        return true;
                    }
                    at = Mischief.nextWritten(fd, at + 4096);
                }
            }
        }
        return false;
    }

    /** Returns whether a page has a Read of a block in it, as an entry of a queue. */
    private static Predicate<MemorySegment> readOf(long slba) {
        return page -> {
            for (long at = 0; at < 4096; at += 64) {
                if ((page.get(JAVA_INT, at) & 0xff) == NvmOpcode.READ
                        && page.get(JAVA_LONG, at + 40) == slba) {
                    return true;
                }
            }
            return false;
        };
    }

    private Predicate<MemorySegment> blocksFrom(int slba) {
        byte first = content[512 * slba];
        return page ->
                page.get(JAVA_BYTE, 0) == first
                        && MemorySegment.ofArray(content).asSlice(512L * slba, 4096).mismatch(page)
                                < 0;
    }

    @Test
    void queuesListsAndDataOfOneDriveAreNothingThatTheServerOfTheOtherGets() {
        List<Controller> controllers = new ArrayList<>();
        for (String locator : fabric.locators()) {
            controllers.add(Controller.open(fabric, locator, ControllerOptions.DEFAULTS));
        }
        Controller a = controllers.get(0);
        Controller b = controllers.get(1);
        try (DmaBuffer ofA = a.dma().allocate(4096);
                DmaBuffer ofB = b.dma().allocate(4096);
                DmaBuffer shared = fabric.dma().allocate(4096)) {
            a.namespace(1).read(ofA, 0, 0x123, 8);
            b.namespace(1).read(ofB, 0, 0x234, 8);
            assertThat(isHanded(blocksFrom(0x234))).as("b's data").isTrue();
            assertThat(isHanded(readOf(0x234))).as("b's queue").isTrue();
            assertThat(isHanded(blocksFrom(0x123))).as("a's data").isFalse();
            assertThat(isHanded(readOf(0x123))).as("a's queue").isFalse();
            a.namespace(1).read(shared, 0, 0x345, 8);
            assertThat(isHanded(blocksFrom(0x345))).as("data that is shared").isTrue();
        }
        assertThat(isHanded(blocksFrom(0x345))).as("data that was shared").isFalse();
        controllers.forEach(Controller::close);
    }

    @Test
    void copyThroughTheCmbOfOneGivesItsServerNoQueueOfTheOther() throws IOException {
        try (Session session = Session.of(fabric)) {
            Extent source = Extent.parse(fabric.locators().get(0) + "@256+1792");
            Extent target = Extent.parse(fabric.locators().get(1));
            CopyOptions how = CopyOptions.DEFAULTS.withBuffer(BufferChoice.device(target.device()));
            assertThat(session.copy(source, target, how).bytesCopied()).isEqualTo(512 * 1792);
            assertThat(isHanded(readOf(256))).isFalse();
        }
        assertThat(Files.readAllBytes(folder.resolve("b.img")))
                .startsWith(java.util.Arrays.copyOfRange(content, 512 * 256, SIZE));
    }
}
