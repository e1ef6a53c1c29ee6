package dev.peerlane.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.hal.Bar;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests malformed chains of capabilities, and mappable areas outside of a BAR. */
class CapabilitiesTest {
    private static final int BYTES = 64;

    private static MemorySegment chain(int at, int id, int next) {
        MemorySegment info = MemorySegment.ofArray(new byte[BYTES]);
        info.set(JAVA_SHORT_UNALIGNED, at, (short) id);
        info.set(JAVA_INT_UNALIGNED, at + 4, next);
        return info;
    }

    @Test
    void aChainThatLoopsOrLeavesTheStructureEnds() {
        assertThat(Capabilities.find(chain(32, 1, 32), 32, 2)).isNull();
        assertThat(Capabilities.find(chain(32, 1, -8), 32, 2)).isNull();
        assertThat(Capabilities.find(chain(32, 1, BYTES - 7), 32, 2)).isNull();
        assertThat(Capabilities.find(chain(32, 1, 0), BYTES, 1)).isNull();
        assertThat(Capabilities.find(chain(32, 1, 0), 0, 1)).isNull();
        assertThat(Capabilities.find(chain(32, 1, 0), 32, 1).byteSize()).isEqualTo(BYTES - 32);
    }

    @Test
    void onlyPairsWithinTheCapabilityAreRead() {
        MemorySegment list = MemorySegment.ofArray(new byte[16 + 2 * 16 + 8]);
        list.set(JAVA_INT_UNALIGNED, 8, -1);
        list.set(JAVA_LONG_UNALIGNED, 32, 7);
        assertThat(Capabilities.pairs(list, 8, 16)).hasSize(2);
        assertThat(Capabilities.pairs(list, 8, 16).getLast()[0]).isEqualTo(7);
        assertThat(Capabilities.pairs(list.asSlice(0, 12), 8, 16)).isEmpty();
    }

    @Test
    void areasOutsideOfABarAreNotMapped(@TempDir Path directory) {
        FakeMachine machine = new FakeMachine(directory);
        machine.a.sparse.put(
                0,
                List.of(
                        new Span(0x3000, 0x4fff),
                        new Span(-4096, -1),
                        new Span(0x1000, 0xfff),
                        new Span(0, 0xfff)));
        try (VfioFabric fabric = machine.open()) {
            Bar bar = fabric.open("0000:01:00.0").bar(0);
            assertThat(
                            machine.kernel.memory.values().stream()
                                    .map(m -> m.offset() + "+" + m.bytes()))
                    .containsExactly("0+4096");
            bar.store32(0x3000, 5);
            assertThat(bar.load32(0x3000)).isEqualTo(5);
        }
        assertThat(machine.kernel.leaks()).isEmpty();
    }
}
