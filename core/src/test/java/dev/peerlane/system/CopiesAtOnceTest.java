package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PortModel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several copies at once, in virtual time, driven by one processor. */
@Tag("long")
class CopiesAtOnceTest {
    private static final int CHUNK = 32 << 10;
    private static final CopyOptions OPTIONS =
            CopyOptions.DEFAULTS
                    .withVerify(VerifyMode.NONE)
                    .withSlots(CHUNK, 48)
                    .withWipe(false)
                    .withSeed(3);

    private static DriveModel drive(String name, long bytes, long rate) {
        return DriveModel.named(name)
                .memory(bytes, 512)
                .bytesPerSecond(rate)
                .latencyNanos(80_000)
                .cmb(CmbModel.of(2 << 20))
                .build();
    }

    /** What a copy did, and when its session was over. */
    private record Ended(Receipt receipt, long nanos) {}

    private static List<Ended> copies(FabricModel model, BufferChoice buffer, String... pairs)
            throws InterruptedException, ExecutionException {
        List<Together.Job<Ended>> jobs = new ArrayList<>();
        for (String pair : pairs) {
            String[] ends = pair.split(">", 2);
            jobs.add(fabric -> {
                try (Session session = Session.of(fabric)) {
                    Receipt receipt =
                            session.copy(
                                    Extent.of("emu:" + ends[0]),
                                    Extent.of("emu:" + ends[1]),
                                    OPTIONS.withBuffer(buffer));
                    return new Ended(receipt, fabric.clock().nanoTime());
                }
            });
        }
        try (EmulatedFabric fabric = new EmulatedFabric(model)) {
            return Together.run(fabric, jobs);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void copiesThatShareNoDeviceDoNotSlowEachOther(boolean packets)
            throws InterruptedException, ExecutionException {
        FabricModel.Builder model =
                FabricModel.builder()
                        .seed(5)
                        .time(FabricModel.Time.VIRTUAL)
                        .packets(packets ? PacketModel.DEFAULTS : null);
        for (String name : List.of("a", "b", "c", "d")) {
            model.drive(drive(name, 64 << 20, 400_000_000));
        }
        model.port(PortModel.switchOf(PortModel.drive("a"), PortModel.drive("b")));
        model.port(PortModel.switchOf(PortModel.drive("c"), PortModel.drive("d")));
        double alone = rate(copies(model.build(), BufferChoice.TARGET, "a>b").getFirst());
        List<Ended> both = copies(model.build(), BufferChoice.TARGET, "a>b", "c>d");
        for (Ended each : both) {
            assertThat(rate(each)).isGreaterThanOrEqualTo(0.98 * alone);
        }
        assertThat(both.get(0).nanos() - both.get(1).nanos())
                .as("they ran at once")
                .isBetween(-20_000_000L, 20_000_000L);
    }

    private static double rate(Ended copy) {
        return copy.receipt().bytesPerSecond();
    }
}
