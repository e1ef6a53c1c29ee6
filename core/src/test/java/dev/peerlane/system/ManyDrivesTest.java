package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PortModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * 32 drives behind two levels of switches, by packets in virtual time: 16 copies that share no
 * device, all driven by one processor.
 */
@Tag("long")
class ManyDrivesTest {
    private static final int SWITCHES = 4;
    private static final int DRIVES = 8;
    private static final long LINK_BYTES = 1_000_000_000L;
    private static final int HEADER_BYTES = 24;

    /**
     * Bring-ups wait in idle steps of a millisecond: over 24 seeds the last of 16 copies was 0.8 to
     * 4.2 ms behind the first.
     */
    private static final int MAX_LATE_NANOS = 5_000_000;

    private static final CopyOptions OPTIONS =
            CopyOptions.DEFAULTS
                    .withOverwrite(true)
                    .withBuffer(BufferChoice.TARGET)
                    .withVerify(VerifyMode.NONE)
                    .withSlots(32 << 10, 48)
                    .withWipe(false)
                    .withSeed(3);

    /** How fast a copy was, and when it was over. */
    private record Ended(double rate, long nanos) {}

    private static FabricModel fabric(PacketModel packets) {
        FabricModel.Builder model =
                FabricModel.builder().seed(5).time(FabricModel.Time.VIRTUAL).packets(packets);
        PortModel[] leaves = new PortModel[SWITCHES];
        for (int s = 0; s < SWITCHES; s++) {
            PortModel[] drives = new PortModel[DRIVES];
            for (int d = 0; d < DRIVES; d++) {
                String name = name(s * DRIVES + d);
                model.drive(
                        DriveModel.named(name)
                                .memory(2 << 20, 512)
                                .bytesPerSecond(400_000_000)
                                .latencyNanos(80_000)
                                .cmb(CmbModel.of(2 << 20))
                                .build());
                drives[d] = PortModel.drive(name);
            }
            leaves[s] = PortModel.switchOf(drives);
        }
        return model.port(PortModel.switchOf(leaves)).build();
    }

    private static String name(int drive) {
        return "d" + drive;
    }

    /** Copies at once; number {@code i} from a drive to another one, so many further on. */
    private static List<Ended> copies(PacketModel packets, int count, int step, int distance)
            throws InterruptedException, ExecutionException {
        List<Together.Job<Ended>> jobs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Extent from = Extent.of("emu:" + name(step * i));
            Extent to = Extent.of("emu:" + name(step * i + distance));
            jobs.add(shared -> {
                try (Session session = Session.of(shared)) {
                    double rate = session.copy(from, to, OPTIONS).bytesPerSecond();
                    return new Ended(rate, shared.clock().nanoTime());
                }
            });
        }
        try (EmulatedFabric fabric = new EmulatedFabric(fabric(packets))) {
            return Together.run(fabric, jobs);
        }
    }

    @Test
    void sixteenCopiesThatShareNoDeviceAreEachAsFastAsOneAndNoneIsLate()
            throws InterruptedException, ExecutionException {
        PacketModel large = PacketModel.DEFAULTS.withMaxPayloadBytes(4096);
        double alone = copies(large, 1, 2, 1).getFirst().rate();
        List<Ended> all = copies(large, 16, 2, 1);
        assertThat(all).allSatisfy(each -> assertThat(each.rate()).isGreaterThan(0.95 * alone));
        long first = all.stream().mapToLong(Ended::nanos).min().orElseThrow();
        assertThat(all)
                .allSatisfy(each -> assertThat(each.nanos() - first).isLessThan(MAX_LATE_NANOS));
    }

    /**
     * Eight drives of one switch to eight of another: all data goes up one link and down another.
     */
    @Test
    void copiesFromSwitchToSwitchFillTheLinkBetweenThemAndShareIt()
            throws InterruptedException, ExecutionException {
        Map<String, PacketModel.Link> own = new HashMap<>();
        for (int i = 0; i < SWITCHES * DRIVES; i++) {
            own.put(name(i), PacketModel.DEFAULTS.link());
        }
        PacketModel packets =
                PacketModel.DEFAULTS.withLinks(new PacketModel.Link(150, LINK_BYTES, 32), own);
        int payload = packets.maxPayloadBytes();
        double limit = (double) LINK_BYTES * payload / (payload + HEADER_BYTES);
        List<Ended> all = copies(packets, DRIVES, 1, DRIVES);
        double sum = all.stream().mapToDouble(Ended::rate).sum();
        double least = all.stream().mapToDouble(Ended::rate).min().orElseThrow();
        assertThat(sum / limit).as("of the link").isBetween(0.95, 1.0);
        assertThat(least).as("the slowest of %s", all).isGreaterThan(0.9 * sum / DRIVES);
    }
}
