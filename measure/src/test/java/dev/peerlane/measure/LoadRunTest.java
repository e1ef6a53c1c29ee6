package dev.peerlane.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PortLimits;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.engine.FakeMemory;
import dev.peerlane.copy.engine.FakePort;
import dev.peerlane.copy.engine.FakePort.Op;
import dev.peerlane.copy.engine.FakeWorld;
import dev.peerlane.hal.Clock;
import dev.peerlane.measure.Load.Command;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LoadRunTest {
    private static final int CHUNK = 8192;
    private static final int DEPTH = 4;
    private static final long BLOCKS = 512;
    private static final long MEASURED_NANOS = 2_000_000;
    private static final long TIMEOUT_NANOS = 5_000_000;

    private final FakeWorld world = new FakeWorld(17);
    private final FakePort port =
            new FakePort(world, FakeWorld.SOURCE, 512, (int) BLOCKS * 512, 32 << 10);
    private final FakeMemory memory = new FakeMemory("fake:peer", 64 << 10);
    private final CancelFlag cancel = new CancelFlag();

    LoadRunTest() {
        new SplittableRandom(5).nextBytes(port.medium);
    }

    private static Load load(Command command, int chunk, int depth, long lba, long blocks) {
        return new Load(command, chunk, depth, lba, blocks, MEASURED_NANOS, TIMEOUT_NANOS, 9);
    }

    private static Load load(Command command) {
        return load(command, CHUNK, DEPTH, 0, BLOCKS);
    }

    private LoadResult run(Load load, Clock clock) {
        return LoadRun.run(load, port, memory, world.dma(), clock, cancel);
    }

    private PeerlaneException failure(Load load, Clock clock) {
        PeerlaneException e = catchThrowableOfType(PeerlaneException.class, () -> run(load, clock));
        assertThat(e).as("the load must fail").isNotNull();
        return e;
    }

    @ParameterizedTest
    @EnumSource
    void aLoadIsMeasuredAndReleasesItsMemory(Command command) {
        LoadResult result = run(load(command), world.clock);
        assertThat(result.voidReason()).isEmpty();
        assertThat(result.bytes()).isEqualTo(result.commands() * CHUNK).isPositive();
        assertThat(memory.open).isZero();
        assertThat(port.inFlight).isZero();
    }

    @Test
    void threeWarmUpRunsPrecedeTheFigureAndDoNotCount() {
        long start = world.nanos;
        LoadResult result = run(load(Command.READ), world.clock);
        long reads = port.log.stream().filter(line -> line.startsWith("READ")).count();
        assertThat(result.seconds()).isBetween(MEASURED_NANOS / 1e9, 1.01 * MEASURED_NANOS / 1e9);
        assertThat(world.nanos - start).isBetween(7 * MEASURED_NANOS / 4, 2 * MEASURED_NANOS);
        assertThat((double) reads / result.commands()).isBetween(1.7, 1.9);
        assertThat(result.latencies().mean()).isPositive();
        assertThat(result.compilerSeconds()).isNotNegative();
    }

    @ParameterizedTest
    @CsvSource({"8, false", "16, true"})
    void aPollThatTookFewOfManyIsFollowedByAMoment(int depth, boolean lingers) {
        port.latencyNanos = 20_000;
        run(load(Command.READ, 4096, depth, 0, BLOCKS), world.clock);
        assertThat(world.lingers > 0).isEqualTo(lingers);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 8192, 0, 512, bad-depth, '0 commands in flight are requested of fake:0000:03:00.0, which accepts 16'",
        "17, 8192, 0, 512, bad-depth, '17 commands in flight are requested of fake:0000:03:00.0, which accepts 16'",
        "4, 256, 0, 512, bad-chunk, 'a transfer of 256 bytes is requested from fake:0000:03:00.0'",
        "4, 8200, 0, 512, bad-chunk, 'a transfer of 8200 bytes is requested from fake:0000:03:00.0'",
        "4, 65536, 0, 512, bad-chunk, 'a transfer of 65536 bytes is requested from fake:0000:03:00.0'",
        "4, 8192, -1, 64, range-past-end, '64 blocks from block -1 on are requested from fake:0000:03:00.0, which has 512'",
        "4, 8192, 1, 512, range-past-end, '512 blocks from block 1 on are requested from fake:0000:03:00.0, which has 512'",
        "4, 8192, 0, 63, range-too-short, '63 blocks of fake:0000:03:00.0 are too few for 4 transfers of 8192 bytes'"
    })
    void whatThePortCannotDoIsRefused(
            int depth, int chunk, long lba, long blocks, String code, String message) {
        PeerlaneException e =
                failure(load(Command.COMPARE, chunk, depth, lba, blocks), world.clock);
        assertThat(e.code()).isEqualTo(code);
        assertThat(e).hasMessageContaining(message);
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.REQUEST);
        assertThat(port.log).isEmpty();
        assertThat(memory.open).isZero();
    }

    @Test
    void readsMayShareTheirBlocksButComparesAndWritesMayNot() {
        load(Command.READ, CHUNK, DEPTH, 0, 16).check("p", port.limits());
        for (Command command : new Command[] {Command.COMPARE, Command.WRITE}) {
            PeerlaneException e =
                    catchThrowableOfType(
                            PeerlaneException.class,
                            () -> load(command, CHUNK, DEPTH, 0, 63).check("p", port.limits()));
            assertThat(e.code()).isEqualTo("range-too-short");
            load(command, CHUNK, DEPTH, 0, 64).check("p", port.limits());
        }
    }

    @Test
    void aDeviceWithoutCompareAndAReadOnlyOneAreRefusedByName() {
        PortLimits less = new PortLimits(512, BLOCKS, 32 << 10, 16, 4096, false, true, "locked");
        PeerlaneException compare =
                catchThrowableOfType(
                        PeerlaneException.class, () -> load(Command.COMPARE).check("p", less));
        assertThat(compare).hasMessageContaining("p has no Compare command");
        PeerlaneException write =
                catchThrowableOfType(
                        PeerlaneException.class, () -> load(Command.WRITE).check("p", less));
        assertThat(write).hasMessageContaining("p can't be written: locked");
        assertThat(write.category()).isEqualTo(PeerlaneException.Category.MACHINE);
        load(Command.READ).check("p", less);
    }

    @ParameterizedTest
    @EnumSource
    void aCommandThatDoesNotEndIsNamedAndThePortIsStopped(Command command) {
        port.stuck = command == Command.WRITE ? Op.WRITE : Op.READ;
        PeerlaneException e = failure(load(command), world.clock);
        assertThat(e.code()).isEqualTo("command-timeout");
        assertThat(e)
                .hasMessageContaining("a " + command.words() + " of fake:0000:03:00.0 did not end")
                .hasMessageContaining("within 0.0 s");
        assertThat(port.quiesced).isTrue();
        assertThat(memory.open).isZero();
    }

    @Test
    void memoryThatADeviceMayStillWriteIsNotReleased() {
        port.stuck = Op.READ;
        port.cannotBeStopped = true;
        PeerlaneException e = failure(load(Command.READ), world.clock);
        assertThat(e.code()).isEqualTo("controller-stuck");
        assertThat(memory.open).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void aRequestToStopEndsALoadInTheMiddleAndReleasesEverything(Command command) {
        long start = world.nanos;
        Clock stopping =
                new Clock() {
                    @Override
                    public long nanoTime() {
                        return world.clock.nanoTime();
                    }

                    @Override
                    public void turn() {
                        world.clock.turn();
                        if (world.nanos - start > MEASURED_NANOS / 2) {
                            cancel.cancel();
                        }
                    }
                };
        PeerlaneException e = failure(load(command), stopping);
        assertThat(e.category()).isEqualTo(PeerlaneException.Category.INTERRUPTED);
        assertThat(port.log).as("it had begun").hasSizeGreaterThan(2 * DEPTH);
        assertThat(world.nanos - start).isLessThan(MEASURED_NANOS);
        assertThat(port.inFlight).isZero();
        assertThat(memory.open).isZero();
    }
}
