package dev.peerlane.serve;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.linux.MemoryFile;
import dev.peerlane.linux.Mischief;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.vfiouser.Mapping;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests that servers receive no files of others: those of four drives keep every file that they
 * receive, and search them for other drives' data.
 */
class WhatAServerGetsTest {
    private static final int SIZE = 1 << 20;
    private static final int CMB_BYTES = 256 << 10;
    private static final int CMB_AT = 64 << 10;
    private static final long TIMEOUT_NANOS = 30_000_000_000L;
    private static final String MEMORY = "peerlane-dma";

    @TempDir private Path folder;
    private final byte[] content = new byte[SIZE];
    private final List<Eavesdropper> spies = new ArrayList<>();
    private Server server;
    private VfioUserFabric fabric;
    private Runnable mischief = () -> {};
    private int rings;

    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return System.nanoTime();
                }

                @Override
                public void turn() {
                    server.turn();
                    spies.forEach(Eavesdropper::turn);
                    mischief.run();
                }
            };

    /** Serves a, b, c and d, each behind an eavesdropper. c's CMB is in BAR 0. */
    @BeforeEach
    void serve() throws IOException {
        new SplittableRandom(41).nextBytes(content);
        FabricModel.Builder model = FabricModel.builder();
        for (String name : new String[] {"a", "b", "c", "d"}) {
            Path image = Files.write(folder.resolve(name + ".img"), content);
            CmbModel cmb = CmbModel.of(CMB_BYTES);
            model.drive(
                    DriveModel.named(name)
                            .namespace(NamespaceModel.image(image, 512))
                            .cmb(name.equals("c") ? cmb.withPlace(0, CMB_AT, 1, 0) : cmb)
                            .build());
        }
        server = Server.open(model.build(), folder, note -> {});
        List<Path> sockets = new ArrayList<>();
        for (Path socket : server.sockets()) {
            sockets.add(folder.resolve("spy" + sockets.size()));
            spies.add(new Eavesdropper(sockets.getLast(), socket));
        }
        fabric = VfioUserFabric.open(sockets, clock, TIMEOUT_NANOS);
    }

    @AfterEach
    void close() {
        fabric.close();
        spies.forEach(Eavesdropper::close);
        server.close();
    }

    private String locator(String drive) {
        return fabric.locators().get(drive.charAt(0) - 'a');
    }

    private Eavesdropper spy(String drive) {
        return spies.get(drive.charAt(0) - 'a');
    }

    private boolean isHanded(String drive, Predicate<MemorySegment> page) {
        for (int fd : spy(drive).handed()) {
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

    /** Returns a test for pages that contain a queue entry with a Read of a block. */
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
    void aServerReceivesNoQueuesListsOrDataOfAnotherDrive() {
        Controller a = Controller.open(fabric, locator("a"), ControllerOptions.DEFAULTS);
        Controller b = Controller.open(fabric, locator("b"), ControllerOptions.DEFAULTS);
        try (DmaBuffer ofA = a.dma().allocate(4096);
                DmaBuffer ofB = b.dma().allocate(4096);
                DmaBuffer shared = fabric.dma().allocate(4096);
                DmaBuffer other = fabric.dma().allocate(4096)) {
            a.namespace(1).read(ofA, 0, 0x123, 8);
            b.namespace(1).read(ofB, 0, 0x234, 8);
            assertThat(isHanded("b", blocksFrom(0x234))).as("b's data").isTrue();
            assertThat(isHanded("b", readOf(0x234))).as("b's queue").isTrue();
            assertThat(isHanded("b", blocksFrom(0x123))).as("a's data").isFalse();
            assertThat(isHanded("b", readOf(0x123))).as("a's queue").isFalse();
            a.namespace(1).read(shared, 0, 0x345, 8);
            a.namespace(1).read(other, 0, 0x456, 8);
            assertThat(isHanded("b", blocksFrom(0x345))).as("not yet shared").isFalse();
            b.namespace(1).compare(shared, 0, 0x345, 8);
            assertThat(isHanded("b", blocksFrom(0x345))).as("data that is shared").isTrue();
            assertThat(isHanded("b", blocksFrom(0x456))).as("another buffer").isFalse();
        }
        assertThat(isHanded("b", blocksFrom(0x345))).as("data that was shared").isFalse();
        a.close();
        b.close();
        assertThat(spy("c").handed()).isEmpty();
    }

    /** Copies a to b while all four drives are enabled. b Compares in its own CMB. */
    @ParameterizedTest
    @CsvSource({
        "a, source-cmb, , peerlane-a",
        "b, target-cmb, peerlane-b, ",
        "d, third-party-cmb, peerlane-b peerlane-d, peerlane-d",
        "host, host, peerlane-dma, peerlane-dma"
    })
    void aCopyGivesEachServerOnlyWhatItsDriveAccesses(
            String buffer, String kind, @Nullable String toA, @Nullable String toB)
            throws IOException {
        try (Session session = Session.of(fabric)) {
            fabric.locators().forEach(session::controller);
            assertThat(spies).allSatisfy(s -> assertThat(s.names()).containsOnly(MEMORY));
            List<Integer> before = spies.stream().map(spy -> spy.handed().size()).toList();
            Receipt receipt =
                    session.copy(
                            Extent.parse(locator("a") + "@256+1792"),
                            Extent.parse(locator("b")),
                            CopyOptions.DEFAULTS
                                    .withOverwrite(true)
                                    .withBuffer(
                                            buffer.equals("host")
                                                    ? BufferChoice.HOST
                                                    : BufferChoice.device(locator(buffer))));
            assertThat(Objects.requireNonNull(receipt.buffer()).kind()).isEqualTo(kind);
            assertThat(receipt.bytesCopied()).isEqualTo(512 * 1792);
            List<Set<String>> got = new ArrayList<>();
            for (int i = 0; i < spies.size(); i++) {
                List<String> names = spies.get(i).names();
                got.add(Set.copyOf(names.subList(before.get(i), names.size())));
            }
            assertThat(got).containsExactly(set(toA), set(toB), Set.of(), Set.of());
            assertThat(isHanded("b", readOf(256))).as("a's queue").isFalse();
        }
        assertThat(Files.readAllBytes(folder.resolve("b.img")))
                .startsWith(Arrays.copyOfRange(content, 512 * 256, SIZE));
    }

    private static Set<String> set(@Nullable String names) {
        return names == null ? Set.of() : Set.of(names.split(" ", -1));
    }

    @Test
    void aPlanThatExaminesEveryCmbPassesNoneToAServer() {
        try (Session session = Session.of(fabric)) {
            for (String locator : fabric.locators()) {
                session.controller(locator).requireCmb().enable(fabric.dma());
            }
            Extent source = Extent.parse(locator("a"));
            session.drop(session.plan(source, Extent.parse(locator("b")), CopyOptions.DEFAULTS));
            assertThat(spies).allSatisfy(s -> assertThat(s.names()).containsOnly(MEMORY));
        }
    }

    /** The server of d writes to every page that it can map around the CMB that it received. */
    @Test
    void aServerThatReceivesTheCmbOfBar0ReachesNoDoorbell() throws IOException {
        List<Mapping> windows = new ArrayList<>();
        mischief =
                () -> {
                    int at = spy("d").names().indexOf("peerlane-c");
                    if (at >= 0 && windows.isEmpty()) {
                        int fd = spy("d").handed().get(at);
                        windows.add(Mapping.of(fd, 0, MemoryFile.sizeBytes(fd), "c's BAR 0"));
                    }
                    rings++;
                    for (Mapping window : windows) {
                        for (long word = 0; word < 0x2000; word += 4) {
                            window.segment().set(JAVA_INT, word, rings & 7);
                        }
                    }
                };
        try (Session session = Session.of(fabric)) {
            session.copy(
                    Extent.parse(locator("d") + "@256+1792"),
                    Extent.parse(locator("c")),
                    CopyOptions.DEFAULTS.withBuffer(BufferChoice.device(locator("c"))));
        }
        assertThat(windows).hasSize(1).allSatisfy(Mapping::close);
        assertThat(Files.readAllBytes(folder.resolve("c.img")))
                .startsWith(Arrays.copyOfRange(content, 512 * 256, SIZE));
    }
}
