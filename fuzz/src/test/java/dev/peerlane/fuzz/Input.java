package dev.peerlane.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The bytes of one fuzzed run, consumed from the front. After the end, everything reads as 0. */
public final class Input {
    private final byte[] data;
    private int at;

    /** Creates an input from the bytes of a run. */
    public Input(byte[] data) {
        this.data = data;
    }

    /** Returns whether all bytes are consumed. */
    public boolean isEmpty() {
        return at >= data.length;
    }

    /** Returns a byte, 0 to 255. */
    public int int8() {
        return at < data.length ? data[at++] & 0xff : 0;
    }

    /** Returns two bytes, 0 to 65535. */
    public int int16() {
        return int8() | int8() << 8;
    }

    /** Returns four bytes. */
    public int int32() {
        return int16() | int16() << 16;
    }

    /** Returns eight bytes. */
    public long int64() {
        return Integer.toUnsignedLong(int32()) | (long) int32() << 32;
    }

    /** Returns a bit. */
    public boolean flag() {
        return (int8() & 1) != 0;
    }

    /** Returns a number from 0 to bound - 1. */
    public int below(int bound) {
        int value = bound <= 256 ? int8() : int32() & Integer.MAX_VALUE;
        return value % bound;
    }

    /** Returns the remaining bytes, up to a maximum. */
    public byte[] bytes(int most) {
        int count = Math.min(most, data.length - at);
        byte[] taken = Arrays.copyOfRange(data, at, at + count);
        at += count;
        return taken;
    }

    /** Returns the text up to the next zero byte or line end. */
    public String line() {
        int start = at;
        while (at < data.length && data[at] != 0 && data[at] != '\n') {
            at++;
        }
        String text = new String(data, start, at - start, StandardCharsets.UTF_8);
        at = Math.min(at + 1, data.length);
        return text;
    }

    /** Returns the remaining bytes as text. */
    public String rest() {
        byte[] left = bytes(data.length);
        return new String(left, StandardCharsets.UTF_8);
    }
}
