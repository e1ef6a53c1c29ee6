package dev.peerlane.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The bytes of one fuzzed run, taken from the front. When they are used up, all reads as 0. */
final class Input {
    private final byte[] data;
    private int at;

    Input(byte[] data) {
        this.data = data;
    }

    boolean isEmpty() {
        return at >= data.length;
    }

    int int8() {
        return at < data.length ? data[at++] & 0xff : 0;
    }

    int int16() {
        return int8() | int8() << 8;
    }

    int int32() {
        return int16() | int16() << 16;
    }

    long int64() {
        return Integer.toUnsignedLong(int32()) | (long) int32() << 32;
    }

    boolean flag() {
        return (int8() & 1) != 0;
    }

    /** Returns 0 to bound - 1. */
    int below(int bound) {
        int value = bound <= 256 ? int8() : int32() & Integer.MAX_VALUE;
        return value % bound;
    }

    byte[] bytes(int most) {
        int count = Math.min(most, data.length - at);
        byte[] taken = Arrays.copyOfRange(data, at, at + count);
        at += count;
        return taken;
    }

    /** Returns text up to the next byte 0, or a line's end. */
    String line() {
        int start = at;
        while (at < data.length && data[at] != 0 && data[at] != '\n') {
            at++;
        }
        String text = new String(data, start, at - start, StandardCharsets.UTF_8);
        at = Math.min(at + 1, data.length);
        return text;
    }

    String rest() {
        byte[] left = bytes(data.length);
        return new String(left, StandardCharsets.UTF_8);
    }
}
