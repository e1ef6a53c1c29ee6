package dev.peerlane.emulator;

import static dev.peerlane.emulator.TestFabrics.MIB;
import static dev.peerlane.emulator.TestFabrics.drive;
import static dev.peerlane.emulator.TestFabrics.enableCmb;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.MiniDriver.Completion;
import dev.peerlane.emulator.MiniDriver.Queue;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.FabricModel.Time;
import dev.peerlane.emulator.model.FabricModel.Transfers;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import dev.peerlane.spec.wire.Sgl;
import dev.peerlane.spec.wire.Sqe;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that data that moves in runs gives the same result as data that moves in pieces. */
class RunsTest {
    private static final long CBA = 0x7000_0000L;
    private static final long BASE = 0x40_0000_0000L;
    private static final int PAGE = MiniDriver.PAGE;
    private static final int HOST_BYTES = 64 * PAGE;
    private static final int CMB_BYTES = 32 * PAGE;
    private static final int MEMORY_BYTES = HOST_BYTES + CMB_BYTES; // the CMB's come second
    private static final int BLOCK = 512;
    private static final int BLOCKS = 512; // used blocks of the medium
    private static final int MAX_BLOCKS = 200;
    private static final int SEEDS = 4;
    private static final int COMMANDS = 60;

    /** A part of the memory to which a command refers. */
    private record Place(int at, int bytes) {}

    /** A drive, memory in several adjacent mappings, and a copy of its expected content. */
    private static final class World implements AutoCloseable {
        private final EmulatedFabric fabric;
        private final MiniDriver driver;
        private final Queue queue;
        private final DmaBuffer list;
        private final MemorySegment host = Arena.ofAuto().allocate(HOST_BYTES, PAGE);
        private final byte[] memory = new byte[MEMORY_BYTES];
        private final byte[] medium = new byte[BLOCKS * BLOCK];
        private final Moves moves = new Moves();
        private final SplittableRandom random;

        World(Transfers transfers, Time time, long seed) {
            CmbModel cmb = CmbModel.of(CMB_BYTES).withRules(CmbModel.CDMMMS | CmbModel.CDPCILS);
            DriveModel.Builder drive = DriveModel.named("a").memory(BLOCKS * BLOCK, BLOCK);
            drive.mdts(0).sgls(DriveModel.Sgls.BYTES).cmb(cmb);
            FabricModel.Builder model = FabricModel.builder().transfers(transfers).time(time);
            fabric = new EmulatedFabric(model.seed(seed).drive(drive.build()).build());
            driver = MiniDriver.up(fabric, "a");
            enableCmb(driver, CBA);
            queue = driver.ioQueue(1, 8);
            list = driver.allocate(2 * PAGE);
            random = new SplittableRandom(seed);
            random.nextBytes(medium);
            random.nextBytes(memory);
            Arrays.fill(memory, HOST_BYTES, MEMORY_BYTES, (byte) 0);
            fabric.controller("a").medium(1, medium);
            MemorySegment.copy(memory, 0, host, ValueLayout.JAVA_BYTE, 0, HOST_BYTES);
            for (int at = 0; at < HOST_BYTES; ) {
                int bytes = Math.min(HOST_BYTES - at, (1 + random.nextInt(24)) * PAGE);
                assertThat(fabric.attachMemory(BASE + at, host.asSlice(at, bytes))).isTrue();
                at += bytes;
            }
            fabric.watch(moves);
        }

        private static long address(int at) {
            return at < HOST_BYTES ? BASE + at : CBA + at - HOST_BYTES;
        }

        /** Runs a random command and checks its result. */
        void command() {
            int blocks = 1 + random.nextInt(MAX_BLOCKS);
            int slba = random.nextInt(BLOCKS - blocks + 1);
            int[] opcodes = {NvmOpcode.READ, NvmOpcode.WRITE, NvmOpcode.READ, NvmOpcode.COMPARE};
            int opcode = opcodes[random.nextInt(opcodes.length)];
            boolean sgl = random.nextBoolean();
            List<Place> places = sgl ? blocksOfData(blocks * BLOCK) : pages(blocks * BLOCK);
            Completion completion =
                    sgl ? bySgl(opcode, slba, blocks, places) : byPrp(opcode, slba, blocks, places);
            assertThat(Status.describe(completion.code()))
                    .isEqualTo(Status.describe(expect(opcode, slba * BLOCK, places)));
        }

        private int expect(int opcode, int position, List<Place> places) {
            int at = position;
            for (Place place : places) {
                int end = place.at + place.bytes;
                switch (opcode) {
                    case NvmOpcode.READ ->
                            System.arraycopy(medium, at, memory, place.at, place.bytes);
                    case NvmOpcode.WRITE ->
                            System.arraycopy(memory, place.at, medium, at, place.bytes);
                    default -> {
                        if (!Arrays.equals(medium, at, at + place.bytes, memory, place.at, end)) {
                            return Status.COMPARE_FAILURE;
                        }
                    }
                }
                at += place.bytes;
            }
            return Status.SUCCESS;
        }

        /**
         * Draws pages: the first may begin anywhere in a page, the others are whole; successive
         * ones are often adjacent.
         */
        private List<Place> pages(int bytes) {
            int all = MEMORY_BYTES / PAGE;
            BitSet used = new BitSet();
            List<Place> places = new ArrayList<>();
            int offset = random.nextInt(3) * random.nextInt(PAGE / 4) * 2 & -4;
            int page = random.nextInt(all);
            int left = bytes;
            while (left > 0) {
                used.set(page);
                int in = places.isEmpty() ? offset : 0;
                int n = Math.min(left, PAGE - in);
                places.add(new Place(page * PAGE + in, n));
                left -= n;
                page = random.nextInt(4) > 0 ? (page + 1) % all : random.nextInt(all);
                while (used.get(page)) {
                    page = random.nextInt(all);
                }
            }
            return places;
        }

        /** Draws blocks of any length at any byte; successive ones are often adjacent. */
        private List<Place> blocksOfData(int bytes) {
            BitSet used = new BitSet();
            List<Place> places = new ArrayList<>();
            int at = random.nextInt(MEMORY_BYTES);
            int left = bytes;
            while (left > 0) {
                int limit = at < HOST_BYTES ? HOST_BYTES : MEMORY_BYTES;
                int taken = used.nextSetBit(at);
                int room = Math.min(left, (taken < 0 ? limit : Math.min(limit, taken)) - at);
                int n = random.nextInt(3) == 0 ? room : Math.min(room, 1 + random.nextInt(9000));
                if (n > 0) {
                    places.add(new Place(at, n));
                    used.set(at, at + n);
                    left -= n;
                }
                int next = at + n;
                boolean free = next < MEMORY_BYTES && !used.get(next);
                at = free && random.nextBoolean() ? next : random.nextInt(MEMORY_BYTES);
            }
            return places;
        }

        private Completion byPrp(int opcode, int slba, int blocks, List<Place> places) {
            int entries = places.size() - 1;
            long prp2 = entries == 0 ? 0 : address(places.get(1).at);
            if (entries > 1) {
                int first = 8 * random.nextInt(PAGE / 8 - entries);
                for (int i = 0; i < entries; i++) {
                    list.segment()
                            .set(
                                    ValueLayout.JAVA_LONG,
                                    first + 8L * i,
                                    address(places.get(i + 1).at));
                }
                prp2 = list.busAddress() + first;
            }
            return queue.io(opcode, slba, blocks, address(places.getFirst().at), prp2);
        }

        private Completion bySgl(int opcode, int slba, int blocks, List<Place> places) {
            for (int i = 0; i < places.size(); i++) {
                Place place = places.get(i);
                Sgl.put(list.segment(), 16L * i, Sgl.DATA_BLOCK, address(place.at), place.bytes);
            }
            boolean one = places.size() == 1;
            long length = one ? places.getFirst().bytes : 16L * places.size();
            long type = one ? Sgl.DATA_BLOCK : Sgl.LAST_SEGMENT;
            int cid = queue.nextCid++;
            queue.postRaw(
                    Sqe.cdw0(opcode, Sqe.FUSE_NONE, Sqe.PSDT_SGL, cid),
                    cid,
                    1,
                    one ? address(places.getFirst().at) : list.busAddress(),
                    length | type << 60,
                    MiniDriver.lba(slba, blocks));
            queue.ring();
            return queue.next();
        }

        void check(String when) {
            EmulatedController controller = fabric.controller("a");
            byte[] seen = Arrays.copyOf(host.toArray(ValueLayout.JAVA_BYTE), MEMORY_BYTES);
            System.arraycopy(controller.cmbBytes(), 0, seen, HOST_BYTES, CMB_BYTES);
            assertThat(Arrays.mismatch(seen, memory)).as("memory after %s", when).isEqualTo(-1);
            byte[] stored = controller.medium(1);
            assertThat(Arrays.mismatch(Arrays.copyOf(stored, medium.length), medium))
                    .as("medium after %s", when)
                    .isEqualTo(-1);
        }

        @Override
        public void close() {
            driver.close();
            fabric.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"PIECES, VIRTUAL", "PIECES, REAL", "RUNS, VIRTUAL", "RUNS, REAL"})
    void dataIsWhereItsCommandSays(Transfers transfers, Time time) {
        long longest = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            try (World world = new World(transfers, time, seed)) {
                for (int i = 0; i < COMMANDS; i++) {
                    world.command();
                    world.check("command %d of seed %d".formatted(i, seed));
                }
                longest = Math.max(longest, world.moves.longest);
            }
        }
        if (transfers == Transfers.RUNS) {
            assertThat(longest).isGreaterThan(64 << 10);
        } else {
            assertThat(longest).isLessThanOrEqualTo(64 << 10);
        }
    }

    @ParameterizedTest
    @EnumSource(Time.class)
    void runEndsWhereTheNextPageIsElsewhereOrOfAnotherMapping(Time time) {
        try (World world = new World(Transfers.RUNS, time, 1)) {
            long base = 2 * BASE;
            world.fabric.attachMemory(base, world.host.asSlice(0, 4 * PAGE));
            world.fabric.attachMemory(base + 4 * PAGE, world.host.asSlice(4 * PAGE, 8 * PAGE));
            long[] entries = {1, 2, 3, 4, 5, 9, 10, 0};
            for (int i = 0; i < entries.length - 1; i++) {
                long entry = base + entries[i + 1] * PAGE;
                world.list.segment().set(ValueLayout.JAVA_LONG, 8L * i, entry);
            }
            long first = base + PAGE + 0x204;
            int blocks = 61; // almost all of the last page
            assertThat(
                            world.queue
                                    .io(NvmOpcode.READ, 0, blocks, first, world.list.busAddress())
                                    .status())
                    .isZero();
            assertThat(world.moves.seen)
                    .containsExactly(
                            "8000001204+11772 written",
                            "8000004000+8192 written",
                            "8000009000+8192 written",
                            "8000000000+3076 written");
        }
    }

    @Test
    void writeThatCannotHaveAllOfItsDataLeavesTheMediumAlone() {
        try (World world = new World(Transfers.RUNS, Time.REAL, 2)) {
            for (int missing : new int[] {0, 3, 7}) {
                for (int i = 0; i < 7; i++) {
                    long entry = i + 1 == missing ? 0x1000 : BASE + (i + 1L) * PAGE;
                    world.list.segment().set(ValueLayout.JAVA_LONG, 8L * i, entry);
                }
                long first = missing == 0 ? 0x1000 : BASE;
                Completion write =
                        world.queue.io(NvmOpcode.WRITE, 8, 64, first, world.list.busAddress());
                assertThat(write.code()).isEqualTo(Status.DATA_TRANSFER_ERROR);
                world.check("page " + missing + " missing");
            }
        }
    }

    @Test
    void plannedFaultsHappenToCommands() {
        try (World world = new World(Transfers.RUNS, Time.REAL, 3)) {
            world.fabric.arm(Fault.at(Fault.Kind.WRONG_DATA, "a").onIo(NvmOpcode.READ));
            long next = BASE + PAGE;
            assertThat(world.queue.io(NvmOpcode.READ, 0, 16, BASE, next).status()).isZero();
            byte[] seen = world.host.asSlice(0, 2 * PAGE).toArray(ValueLayout.JAVA_BYTE);
            assertThat(Arrays.mismatch(seen, world.medium)).isZero();
            seen[0] ^= 1;
            assertThat(Arrays.mismatch(seen, world.medium)).isEqualTo(seen.length);
        }
    }

    /** AWUPF is one block, also in case of an error (NVM Command Set 1.0, 2.1.4). */
    @Test
    void memoryThatDisappearsLeavesNoBlockHalfWritten(@TempDir Path folder) throws IOException {
        DriveModel.Builder drive = DriveModel.named("a").memory(MIB, PAGE);
        FabricModel model =
                FabricModel.builder().transfers(Transfers.RUNS).drive(drive.build()).build();
        Path file = Files.write(folder.resolve("memory"), new byte[2 * PAGE]);
        try (EmulatedFabric fabric = new EmulatedFabric(model);
                MiniDriver driver = MiniDriver.up(fabric, "a");
                Arena arena = Arena.ofConfined();
                FileChannel channel =
                        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            Queue queue = driver.ioQueue(1, 8);
            byte[] before = new byte[4 * PAGE];
            Arrays.fill(before, (byte) 0x5a);
            fabric.controller("a").medium(1, before);
            MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, 2 * PAGE, arena);
            fabric.attachMemory(BASE, memory);
            memory.fill((byte) 0x11);
            channel.truncate(PAGE);
            queue.post(NvmOpcode.WRITE, 1, BASE + 0x800, BASE + PAGE, MiniDriver.lba(1, 1));
            queue.ring();
            assertThat(catchThrowable(() -> driver.turns(100))).isNotNull();
            byte[] after = Arrays.copyOf(fabric.controller("a").medium(1), before.length);
            assertThat(after).isEqualTo(before);
            fabric.detachMemory(BASE);
        }
    }

    @Test
    void packetsHaveNoRuns() {
        FabricModel.Builder model = FabricModel.builder().drive(drive("a").build());
        assertThat(model.build().movesRuns()).isFalse();
        assertThat(model.build().hurried().movesRuns()).isTrue();
        model.packets(PacketModel.DEFAULTS);
        assertThat(model.build().hurried()).isEqualTo(model.build());
        model.transfers(Transfers.RUNS);
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, model::build);
        assertThat(e).hasMessageContaining("with packets, data moves in pieces only");
        assertThat(e.remedy()).contains("Leave 'transfers' out");
        model.packets(null).transfers(Transfers.PIECES);
        assertThat(model.build().hurried().movesRuns()).isFalse();
    }
}
