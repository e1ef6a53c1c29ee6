package dev.peerlane.pci;

import dev.peerlane.PeerlaneException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The address of a PCI function: segment ("domain"), bus, device, function. Its text has Linux's
 * format, {@code 0000:01:00.0}. Ordered by segment, then bus, device, function.
 *
 * @param segment 0 to ffffffffh
 * @param bus 0 to 255
 * @param device 0 to 31
 * @param function 0 to 7
 */
public record Bdf(int segment, int bus, int device, int function) implements Comparable<Bdf> {
    private static final Pattern FORM =
            Pattern.compile("(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})\\.([0-7])");

    /** Checks the ranges of the parts. */
    public Bdf {
        if ((bus & ~0xff) != 0 || (device & ~0x1f) != 0 || (function & ~7) != 0) {
            throw new IllegalArgumentException(
                    "no PCI address: %x:%x.%x".formatted(bus, device, function));
        }
    }

    /**
     * Parses {@code 0000:01:00.0} or {@code 01:00.0}.
     *
     * @throws PeerlaneException of category REQUEST if the text has neither format
     */
    public static Bdf parse(String text) {
        Matcher m = FORM.matcher(text);
        if (!m.matches() || Integer.parseInt(m.group(3), 16) > 0x1f) {
            throw PeerlaneException.request(
                    "bad-pci-address",
                    "'" + text + "' is not a PCI address",
                    "Write domain:bus:device.function in hexadecimal, such as 0000:01:00.0");
        }
        int segment = m.group(1) == null ? 0 : Integer.parseUnsignedInt(m.group(1), 16);
        return new Bdf(
                segment,
                Integer.parseInt(m.group(2), 16),
                Integer.parseInt(m.group(3), 16),
                Integer.parseInt(m.group(4)));
    }

    /** Returns the 16-bit requester ID: bus, device and function. */
    public int requesterId() {
        return (bus << 8) | (device << 3) | function;
    }

    // Written by hand, because a record's generated methods are linked at first use, which would
    // slow every start.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Bdf that
                && segment == that.segment
                && requesterId() == that.requesterId();
    }

    @Override
    public int hashCode() {
        return 31 * segment + requesterId();
    }

    @Override
    public int compareTo(Bdf other) {
        int bySegment = Integer.compareUnsigned(segment, other.segment);
        return bySegment != 0 ? bySegment : Integer.compare(requesterId(), other.requesterId());
    }

    @Override
    public String toString() {
        return "%04x:%02x:%02x.%d".formatted(segment, bus, device, function);
    }
}
