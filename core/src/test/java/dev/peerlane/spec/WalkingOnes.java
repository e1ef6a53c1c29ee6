package dev.peerlane.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.LongFunction;

/**
 * Sets one bit after the other in a register, an entry or a page, and checks that exactly the
 * accessor of that bit's field changes, and none for a reserved bit. The table of fields is typed
 * in the test, independently of the code under test.
 *
 * @param <T> the type that the accessors read
 */
final class WalkingOnes<T> {
    private final int bits;
    private final IntFunction<T> withBit;
    private final T zero;
    private final List<Field<T>> fields = new ArrayList<>();

    private record Field<T>(
            String name, int hi, int lo, Function<T, Object> accessor, Object rest) {
        boolean holds(int bit) {
            return bit <= hi && bit >= lo;
        }
    }

    private WalkingOnes(int bits, T zero, IntFunction<T> withBit) {
        this.bits = bits;
        this.zero = zero;
        this.withBit = withBit;
    }

    static <T> WalkingOnes<T> overInt(IntFunction<T> register) {
        return new WalkingOnes<>(Integer.SIZE, register.apply(0), bit -> register.apply(1 << bit));
    }

    static <T> WalkingOnes<T> overLong(LongFunction<T> register) {
        return new WalkingOnes<>(Long.SIZE, register.apply(0), bit -> register.apply(1L << bit));
    }

    /** Walks over memory. The initial content of the segment is the state at rest. */
    static <T> WalkingOnes<T> overBytes(MemorySegment memory, Function<MemorySegment, T> decoder) {
        T decoded = decoder.apply(memory);
        int[] last = {-1};
        return new WalkingOnes<>(
                Math.toIntExact(memory.byteSize() * Byte.SIZE),
                decoded,
                bit -> {
                    if (last[0] >= 0) {
                        flip(memory, last[0]);
                    }
                    flip(memory, bit);
                    last[0] = bit;
                    return decoded;
                });
    }

    private static void flip(MemorySegment memory, int bit) {
        byte old = memory.get(ValueLayout.JAVA_BYTE, bit / Byte.SIZE);
        byte flipped = (byte) (old ^ (1 << (bit % Byte.SIZE)));
        memory.set(ValueLayout.JAVA_BYTE, bit / Byte.SIZE, flipped);
    }

    /** Adds a field of bits hi:lo. */
    WalkingOnes<T> bits(String name, int hi, int lo, Function<T, Object> accessor) {
        for (Field<T> other : fields) {
            assertThat(hi < other.lo() || lo > other.hi())
                    .as("%s and %s overlap in the test's own table", name, other.name())
                    .isTrue();
        }
        fields.add(new Field<>(name, hi, lo, accessor, accessor.apply(zero)));
        return this;
    }

    /** Adds a field of one bit. */
    WalkingOnes<T> bit(String name, int bit, Function<T, Object> accessor) {
        return bits(name, bit, bit, accessor);
    }

    /** Adds a field of whole bytes. */
    WalkingOnes<T> bytes(String name, int offset, int count, Function<T, Object> accessor) {
        int lo = offset * Byte.SIZE;
        return bits(name, lo + count * Byte.SIZE - 1, lo, accessor);
    }

    void check() {
        for (int bit = 0; bit < bits; bit++) {
            T subject = withBit.apply(bit);
            for (Field<T> field : fields) {
                Object value = field.accessor().apply(subject);
                boolean moved = !Objects.equals(value, field.rest());
                if (moved != field.holds(bit)) {
                    throw new AssertionError(
                            "bit " + bit + (moved ? " moves " : " does not move ") + field.name());
                }
                checkValue(field, bit, value);
            }
        }
    }

    /** If the field is zero at rest, a bit must have its weight. */
    private void checkValue(Field<T> field, int bit, Object value) {
        boolean restsAtZero =
                (field.rest() instanceof Integer i && i == 0)
                        || (field.rest() instanceof Long l && l == 0);
        if (field.holds(bit) && restsAtZero) {
            long expected = 1L << (bit - field.lo());
            long actual =
                    value instanceof Integer i && expected > 0 && bit - field.lo() < Integer.SIZE
                            ? Integer.toUnsignedLong(i)
                            : ((Number) value).longValue();
            assertThat(actual).as("%s with bit %d", field.name(), bit).isEqualTo(expected);
        }
    }
}
