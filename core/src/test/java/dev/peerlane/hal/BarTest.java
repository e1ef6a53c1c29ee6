package dev.peerlane.hal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests bulk accesses to a window, for every start and length up to a few words. */
class BarTest {
    private static final int BYTES = 64;
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A window over bytes that accepts aligned accesses only. */
    private static final class Window extends Bar {
        private final MemorySegment bytes = MemorySegment.ofArray(random(1));

        private static byte[] random(long seed) {
            byte[] bytes = new byte[BYTES];
            new SplittableRandom(seed).nextBytes(bytes);
            return bytes;
        }

        private static long at(long offset, int width) {
            Objects.checkFromIndexSize(offset, width, BYTES);
            assertThat(offset % width).as("offset %d of %d bytes", offset, width).isZero();
            return offset;
        }

        @Override
        public int index() {
            return 0;
        }

        @Override
        public long sizeBytes() {
            return BYTES;
        }

        @Override
        public long pciAddress() {
            return 0;
        }

        @Override
        public int load32(long offset) {
            return bytes.get(INT, at(offset, 4));
        }

        @Override
        public void store32(long offset, int value) {
            bytes.set(INT, at(offset, 4), value);
        }

        @Override
        public long load64(long offset) {
            return bytes.get(LONG, at(offset, 8));
        }

        @Override
        public void store64(long offset, long value) {
            bytes.set(LONG, at(offset, 8), value);
        }

        @Override
        public Doorbell doorbell(long offset) {
            throw new UnsupportedOperationException();
        }

        byte[] content() {
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private interface Range {
        void of(int offset, int bytes);
    }

    private static void everyRange(Range range) {
        for (int offset = 0; offset <= 16; offset += 4) {
            for (int bytes = 0; bytes <= 32; bytes += 4) {
                range.of(offset, bytes);
            }
        }
    }

    @Test
    void aFillWritesItsRangeAndNothingElse() {
        everyRange((offset, bytes) -> {
            Window window = new Window();
            MemorySegment expected = MemorySegment.ofArray(window.content());
            for (int at = offset; at < offset + bytes; at += 4) {
                expected.set(INT, at, 0x8765_4321);
            }
            window.fill(offset, bytes, 0x8765_4321);
            assertThat(window.content())
                    .as("%d bytes at %d", bytes, offset)
                    .isEqualTo(expected.toArray(ValueLayout.JAVA_BYTE));
        });
    }

    @Test
    void aStoreWritesItsRangeAndNothingElse() {
        everyRange((offset, bytes) -> {
            Window window = new Window();
            MemorySegment source = MemorySegment.ofArray(Window.random(2)).asSlice(0, bytes);
            MemorySegment expected = MemorySegment.ofArray(window.content());
            MemorySegment.copy(source, 0, expected, offset, bytes);
            window.store(offset, source);
            assertThat(window.content())
                    .as("%d bytes at %d", bytes, offset)
                    .isEqualTo(expected.toArray(ValueLayout.JAVA_BYTE));
        });
    }

    @Test
    void aLoadBringsItsRange() {
        everyRange((offset, bytes) -> {
            Window window = new Window();
            MemorySegment target = MemorySegment.ofArray(new byte[bytes]);
            window.load(offset, target);
            assertThat(
                            target.mismatch(
                                    MemorySegment.ofArray(window.content()).asSlice(offset, bytes)))
                    .as("%d bytes at %d", bytes, offset)
                    .isEqualTo(-1);
        });
    }

    @ParameterizedTest
    @CsvSource({"2, 8", "4, 6", "1, 1"})
    void unalignedRangesAreRefusedBeforeAnythingIsStored(int offset, int bytes) {
        Window window = new Window();
        byte[] before = window.content();
        assertThatThrownBy(() -> window.fill(offset, bytes, 7))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> window.store(offset, MemorySegment.ofArray(new byte[bytes])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> window.load(offset, MemorySegment.ofArray(new byte[bytes])))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(window.content()).isEqualTo(before);
    }
}
