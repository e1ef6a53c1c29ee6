package dev.peerlane.guard;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of the table of magic numbers.
 *
 * @param bytes the magic number, one character for a byte
 * @param place where it is looked for first: from the start, or negative from the end
 * @param align the place from the end is rounded down to a multiple of this
 * @param add added to the rounded place
 * @param count at how many places it is looked for
 * @param step from one of these places to the next
 */
record Magic(
        Signature.Kind kind,
        String name,
        String bytes,
        long place,
        long align,
        long add,
        int count,
        long step) {
    private static final Pattern PLACE =
            Pattern.compile(
                    "(?<from>-?0x[0-9a-f]+)(~(?<align>0x[0-9a-f]+))?(\\+(?<add>0x[0-9a-f]+))?"
                            + "(\\*(?<count>[0-9]+)/(?<step>0x[0-9a-f]+))?");

    /** Parses a line of the table: kind, name, offset and magic number, separated by tabs. */
    static Magic parse(String line) {
        String[] fields = line.split("\t", -1);
        Matcher place = PLACE.matcher(fields.length == 4 ? fields[2] : "");
        if (!place.matches()) {
            throw new IllegalArgumentException("not a line of magic numbers: " + line);
        }
        return new Magic(
                Signature.Kind.valueOf(fields[0].toUpperCase(Locale.ROOT)),
                fields[1],
                new String(HexFormat.of().parseHex(fields[3]), StandardCharsets.ISO_8859_1),
                number(place, "from", 0),
                number(place, "align", 1),
                number(place, "add", 0),
                (int) number(place, "count", 1),
                number(place, "step", 0));
    }

    private static long number(Matcher place, String group, long absent) {
        String text = place.group(group);
        return text == null ? absent : Long.decode(text);
    }

    /**
     * Returns the first offset to check on a device of a length. Negative if the device is too
     * short.
     */
    long first(long sizeBytes) {
        if (place >= 0) {
            return place;
        }
        long from = sizeBytes + place;
        return from < 0 ? from : from / align * align + add;
    }
}
