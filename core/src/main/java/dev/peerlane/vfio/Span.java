package dev.peerlane.vfio;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A range of addresses below 2^63.
 *
 * @param start the first address
 * @param last the last address, inclusive
 */
record Span(long start, long last) {
    /**
     * Returns a span whose last address is read as unsigned and clamped to 2^63 - 1. The span must
     * not be empty.
     */
    static Span of(long start, long last) {
        return new Span(start, last < 0 ? Long.MAX_VALUE : last);
    }

    boolean holds(long first, long end) {
        return first >= start && end <= last && first <= end;
    }

    /** Returns the parts of {@code spans} that no hole covers, in ascending order. */
    static List<Span> without(List<Span> spans, List<Span> holes) {
        List<Span> left = new ArrayList<>(spans);
        for (Span hole : holes) {
            List<Span> next = new ArrayList<>();
            for (Span span : left) {
                if (hole.last < span.start || hole.start > span.last) {
                    next.add(span);
                    continue;
                }
                if (span.start < hole.start) {
                    next.add(new Span(span.start, hole.start - 1));
                }
                if (hole.last < span.last) {
                    next.add(new Span(hole.last + 1, span.last));
                }
            }
            left = next;
        }
        left.sort(Comparator.comparingLong(Span::start));
        return left;
    }

    @Override
    public String toString() {
        return "%x-%x".formatted(start, last);
    }
}
