package dev.peerlane.lab;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.Clock;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.hal.Fabric;
import dev.peerlane.hal.PciDevice;
import dev.peerlane.mem.Dma;

/** A minimal NVMe driver that makes a controller do DMA: an admin queue and Identify. */
final class TinyAdmin implements AutoCloseable {
    private static final long SECOND = 1_000_000_000L;
    private static final int ENTRIES = 4;
    private static final int CC = 0x14;
    private static final int CSTS = 0x1c;
    private static final int AQA = 0x24;
    private static final int ASQ = 0x28;
    private static final int ACQ = 0x30;
    private static final int IDENTIFY = 0x06;

    private final Bar registers;
    private final Clock clock;
    private final DmaBuffer submission;
    private final DmaBuffer completion;
    private int posted;

    TinyAdmin(Fabric fabric, PciDevice device) {
        DmaDomain dma = fabric.dma();
        clock = fabric.clock();
        registers = device.bar(0);
        submission = dma.allocate(4096);
        completion = dma.allocate(4096);
        device.busMaster(true);
        registers.store32(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
        registers.store32(ASQ, (int) submission.busAddress());
        registers.store32(ASQ + 4, (int) (submission.busAddress() >>> 32));
        registers.store32(ACQ, (int) completion.busAddress());
        registers.store32(ACQ + 4, (int) (completion.busAddress() >>> 32));
        registers.store32(CC, 4 << 20 | 6 << 16 | 1);
        assertThat(clock.await(() -> (registers.load32(CSTS) & 3) == 1, SECOND)).isTrue();
    }

    /**
     * Runs Identify Controller into a bus address. Returns the status field, or -1 if there is no
     * answer.
     */
    int identify(long busAddress) {
        long at = (posted % ENTRIES) * 64L;
        submission.segment().asSlice(at, 64).fill((byte) 0);
        submission.segment().set(JAVA_INT, at, IDENTIFY);
        submission.segment().set(JAVA_LONG, at + 24, busAddress);
        submission.segment().set(JAVA_INT, at + 40, 1);
        long entry = completion.address() + (posted % ENTRIES) * 16L;
        int phase = (posted / ENTRIES) % 2 == 0 ? 1 : 0;
        posted++;
        registers.doorbell(0x1000).ring(posted % ENTRIES);
        boolean came =
                clock.await(() -> (Dma.loadIntAcquire(entry, 12) >>> 16 & 1) == phase, SECOND / 10);
        registers.doorbell(0x1004).ring(posted % ENTRIES);
        return came ? Dma.loadInt(entry, 12) >>> 17 : -1;
    }

    @Override
    public void close() {
        registers.store32(CC, 0);
        assertThat(clock.await(() -> (registers.load32(CSTS) & 1) == 0, SECOND)).isTrue();
        submission.close();
        completion.close();
    }
}
