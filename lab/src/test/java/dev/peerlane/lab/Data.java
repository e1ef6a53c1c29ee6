package dev.peerlane.lab;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.peerlane.hal.DmaBuffer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.Random;

/** Bytes of images and memory, for comparison. */
final class Data {
    private Data() {}

    /** Returns bytes that depend only on the seed. */
    static byte[] random(long seed, int bytes) {
        byte[] data = new byte[bytes];
        new Random(seed).nextBytes(data);
        return data;
    }

    /** Returns bytes in which every 512 start with the word, followed by noise. */
    static byte[] marked(long word, int bytes) {
        byte[] data = random(word, bytes);
        for (int at = 0; at < bytes; at += 512) {
            MemorySegment.ofArray(data).set(JAVA_LONG.withByteAlignment(1), at, word);
        }
        return data;
    }

    /** Reads a range of a file. */
    static byte[] read(Path file, long offset, int bytes) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "r")) {
            byte[] data = new byte[bytes];
            open.seek(offset);
            open.readFully(data);
            return data;
        }
    }

    /** Overwrites a range of a file. */
    static void write(Path file, long offset, byte[] data) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(offset);
            open.write(data);
        }
    }

    /** Returns how many words at multiples of 8 of a file have a value. */
    static long count(Path file, long word) throws IOException {
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file)) {
            MemorySegment all = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
            long found = 0;
            for (long at = 0; at + 8 <= all.byteSize(); at += 8) {
                if (all.get(JAVA_LONG, at) == word) {
                    found++;
                }
            }
            return found;
        }
    }

    /** Returns how many words at multiples of 8 of an array have a value. */
    static long count(byte[] bytes, long word) {
        MemorySegment all = MemorySegment.ofArray(bytes);
        long found = 0;
        for (long at = 0; at + 8 <= all.byteSize(); at += 8) {
            if (all.get(JAVA_LONG.withByteAlignment(1), at) == word) {
                found++;
            }
        }
        return found;
    }

    /** Returns the content of a buffer from an offset. */
    static byte[] of(DmaBuffer buffer, long offset, long bytes) {
        return buffer.segment().asSlice(offset, bytes).toArray(JAVA_BYTE);
    }

    /** Writes bytes to a buffer. */
    static void put(DmaBuffer buffer, long offset, byte[] data) {
        MemorySegment.copy(data, 0, buffer.segment(), JAVA_BYTE, offset, data.length);
    }
}
