package dev.peerlane.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Bar;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Doorbell;
import dev.peerlane.hal.ForeignCalls;
import dev.peerlane.hal.PeerMapping;
import dev.peerlane.pci.ConfigSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that a call from a thread that does not own the fabric makes no system call and stores
 * nothing.
 */
class VfioThreadsTest {
    private static final int VALUE = 0x1234_5678;

    @TempDir private Path directory;

    @Test
    void everyCallOfAnotherThreadIsRefusedAndReachesNeitherKernelNorDevice() throws Exception {
        FakeMachine machine = new FakeMachine(directory);
        machine.a.sparse.put(0, List.of(new Span(0, 0xfff), new Span(0x3000, 0x3fff)));
        try (VfioFabric fabric = machine.open();
                Arena arena = Arena.ofShared()) {
            VfioDevice device = fabric.openDevice("0000:01:00.0");
            device.busMaster(true);
            Bar mixed = device.bar(0);
            Bar mapped = device.bar(2);
            Doorbell byMessage = mixed.doorbell(0x1004);
            Interrupts interrupts = device.interrupts(1);
            DmaBuffer buffer = fabric.dma().allocate(4096);
            PeerMapping peer = fabric.dma().mapPeer(device, mapped, 0, 4096);
            ConfigSpace config = device.config();
            MemorySegment words = arena.allocate(64, 8);
            mixed.store32(0x1000, VALUE); // leaves the value in the scratch buffer of the next load

            ForeignCalls calls = new ForeignCalls();
            calls.add("open", () -> fabric.open("0000:02:00.0"))
                    .add("open of an open device", () -> fabric.open("0000:01:00.0"))
                    .add("open of a missing device", () -> fabric.open("0000:03:00.0"))
                    .add("machine", fabric::machine)
                    .add("close of the fabric", fabric::close)
                    .add("bar", () -> device.bar(0))
                    .add("missing bar", () -> device.bar(4))
                    .add("bus master", () -> device.busMaster(false))
                    .add("reset", device::reset)
                    .add("interrupts", () -> device.interrupts(2))
                    .add("close of the device", device::close)
                    .add("await", () -> interrupts.await(0, 0))
                    .add("close of the interrupts", interrupts::close)
                    .add("allocate", () -> fabric.dma().allocate(4096))
                    .add("allocate nothing", () -> fabric.dma().allocate(0))
                    .add("close of a buffer", buffer::close)
                    .add("map", () -> fabric.dma().mapPeer(device, mapped, 8192, 4096))
                    .add("close of a mapping", peer::close)
                    .add("config load", () -> config.load32(ConfigSpace.COMMAND))
                    .add("config store", () -> config.store32(ConfigSpace.BAR0, 0))
                    .add("config store of 2", () -> config.store16(ConfigSpace.COMMAND, 0))
                    .add("doorbell by message", () -> byMessage.ring(7));
            for (Bar bar : List.of(mixed, mapped)) {
                for (long at : new long[] {0x40, 0x1040}) {
                    String where = " at %x of BAR%d".formatted(at, bar.index());
                    calls.add("load" + where, () -> bar.load32(at))
                            .add("load of 8" + where, () -> bar.load64(at))
                            .add("store" + where, () -> bar.store32(at, 1))
                            .add("store of 8" + where, () -> bar.store64(at, 1))
                            .add("bulk load" + where, () -> bar.load(at, words))
                            .add("bulk store" + where, () -> bar.store(at, words))
                            .add("fill" + where, () -> bar.fill(at, 64, 1))
                            .add("doorbell" + where, () -> bar.doorbell(at));
                }
            }
            machine.kernel.fire(machine.a, 0);
            calls.assertRefused(() -> state(machine));

            assertThat(interrupts.await(0, 0)).as("the event is still there").isTrue();
            assertThat(mixed.load32(0x1000)).isEqualTo(VALUE);
            assertThat(machine.a.masters()).isTrue();
            byMessage.ring(7);
            assertThat(machine.a.bars.get(0).get(ValueLayout.JAVA_INT, 0x1004)).isEqualTo(7);
            peer.close();
            fabric.dma().mapPeer(device, mapped, 0, 4096).close();
            buffer.close();
            device.reset();
            device.close();
            fabric.openDevice("0000:01:00.0").interrupts(2).close();
        }
        assertThat(machine.kernel.leaks()).isEmpty();
        assertThat(machine.kernel.violations).isEmpty();
    }

    private static List<Object> state(FakeMachine machine) {
        List<Object> state = new ArrayList<>();
        state.add(List.copyOf(machine.kernel.calls));
        for (PlainDevice device : List.of(machine.a, machine.b)) {
            CRC32 bytes = new CRC32();
            bytes.update(device.config.asByteBuffer());
            device.bars.values().forEach(bar -> bytes.update(bar.asByteBuffer()));
            state.add(bytes.getValue());
            state.add(device.resets);
        }
        return state;
    }
}
