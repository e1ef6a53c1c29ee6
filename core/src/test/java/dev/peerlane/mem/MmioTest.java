package dev.peerlane.mem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class MmioTest {
    @Test
    void everyStoreHasItsWidthAndLeavesTheNeighboursAlone() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(64, 64);
            // enough rounds for the interpreter and both compilers
            for (int round = 0; round < 30_000; round++) {
                memory.fill((byte) 0xee);
                Mmio.store32Release(memory.address() + 8, 0x1122_3344 + round);
                Mmio.store64Release(memory.address() + 24, 0x0102_0304_0506_0708L + round);
                assertThat(Mmio.load32Acquire(memory.address() + 8)).isEqualTo(0x1122_3344 + round);
                assertThat(Mmio.load64Acquire(memory.address() + 24))
                        .isEqualTo(0x0102_0304_0506_0708L + round);
                for (int i = 0; i < 64; i++) {
                    boolean touched = (i >= 8 && i < 12) || (i >= 24 && i < 32);
                    if (!touched && memory.get(ValueLayout.JAVA_BYTE, i) != (byte) 0xee) {
                        throw new AssertionError("byte " + i + " was touched");
                    }
                }
            }
        }
    }

    @Test
    void valuesAreLittleEndian() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(16, 16);
            Mmio.store32Release(memory.address(), 0x0403_0201);
            for (int i = 0; i < 4; i++) {
                assertThat(memory.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) (i + 1));
            }
        }
    }

    @Test
    void dmaAccessorsReadWhatTheyStored() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(64, 64);
            long base = Dma.checkBase(memory.address());
            Dma.storeInt(base, 4, 0xcafe);
            Dma.storeLong(base, 8, -2);
            Dma.storeIntRelease(base, 16, 77);
            assertThat(Dma.loadInt(base, 4)).isEqualTo(0xcafe);
            assertThat(Dma.loadLong(base, 8)).isEqualTo(-2);
            assertThat(Dma.loadIntAcquire(base, 16)).isEqualTo(77);
        }
    }

    @Test
    void aBaseThatWouldCrashIsRefused() {
        for (long bad : new long[] {0, 8, 0x1001, -16, 1L << 48}) {
            assertThatThrownBy(() -> Dma.checkBase(bad))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("0x%x".formatted(bad));
        }
    }
}
