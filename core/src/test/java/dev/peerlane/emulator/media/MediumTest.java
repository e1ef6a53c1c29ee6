package dev.peerlane.emulator.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests media in files and in memory, without a drive around them. */
class MediumTest {
    private static final long MIB = 1 << 20;

    @ParameterizedTest
    @CsvSource({
        "No space left on device, 1000000, true",
        "Disk quota exceeded, 1000000, true",
        "Auf dem Gerät ist kein Speicherplatz mehr verfügbar, 0, true",
        "Input/output error, 1000000, false"
    })
    void aFullFileSystemIsToldFromAFailingOne(String message, long usable, boolean full) {
        byte[] data = new byte[4096];
        MemorySegment source = MemorySegment.ofArray(data);
        ImageMedia media =
                new ImageMedia(new FullChannel(message, 2048), 1 << 20, () -> usable, null);
        Class<?> expected = full ? Media.OutOfSpaceException.class : IOException.class;
        assertThatThrownBy(() -> media.write(0, source, 0, 4096, false))
                .isExactlyInstanceOf(expected);
        assertThatThrownBy(() -> media.clear(0, 4096)).isExactlyInstanceOf(expected);
        assertThatThrownBy(media::flush).isExactlyInstanceOf(expected);
        ImageMedia durable =
                new ImageMedia(new FullChannel(message, 4096), 1 << 20, () -> usable, null);
        assertThatThrownBy(() -> durable.write(0, source, 0, 4096, true))
                .isExactlyInstanceOf(expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {4096, 1L << 30, 1L << 49, 1L << 52, Long.MAX_VALUE / 4096 * 4096})
    void aMediumInMemoryIsAsLongAsItSays(long bytes) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Media media = new MemoryMedia(bytes, arena);
            MemorySegment data = arena.allocate(4096);
            MemorySegment back = arena.allocate(4096);
            long[] places = {0, bytes / 3 / 4096 * 4096, bytes - 4096};
            for (long place : places) {
                data.fill((byte) (place >>> 12));
                media.write(place, data, 0, 4096, false);
                media.read(place, back, 0, 4096);
                assertThat(back.mismatch(data)).as("at %d", place).isEqualTo(-1);
            }
            long middle = places[1] + 4096;
            if (middle < bytes - 4096) {
                // most of it was never written; blocks that were are found all the same
                media.clear(middle, Math.min(1L << 50, bytes - middle));
            }
            media.read(places[1], back, 0, 4096);
            data.fill((byte) (places[1] >>> 12));
            assertThat(back.mismatch(data)).isEqualTo(-1);
            media.clear(places[2], 4096);
            media.read(places[2], back, 0, 4096);
            assertThat(back.mismatch(data.fill((byte) 0))).isEqualTo(-1);
        }
    }

    @Test
    void blocksThatWereNeverWrittenShowNothingOfThoseThatWereDeallocated() throws IOException {
        long bytes = 16 * MIB;
        try (Arena arena = Arena.ofConfined()) {
            Media media = new MemoryMedia(bytes, arena);
            MemorySegment data = arena.allocate(bytes).fill((byte) 0x5a);
            media.write(0, data, 0, bytes / 2, false);
            media.clear(0, bytes / 2);
            for (long at = bytes / 2; at < bytes; at += MIB / 8) {
                media.write(at, data, 0, 512, false); // allocates memory for more than it writes
            }
            media.read(0, data, 0, bytes);
            for (long at = 0; at < bytes; at += 512) {
                boolean written = at >= bytes / 2 && at % (MIB / 8) == 0;
                assertThat(data.get(ValueLayout.JAVA_BYTE, at))
                        .as("block at %d", at)
                        .isEqualTo((byte) (written ? 0x5a : 0));
            }
        }
    }
}
