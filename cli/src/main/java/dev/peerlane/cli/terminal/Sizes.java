package dev.peerlane.cli.terminal;

import dev.peerlane.PeerlaneException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses and formats sizes in binary units. */
public final class Sizes {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,40})\\s*(?:(B|)|([KMGTPE])i?B?)", Pattern.CASE_INSENSITIVE);
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Sizes() {}

    /**
     * Parses {@code 4096}, {@code 512KiB}, {@code 4MiB}, {@code 1GiB} or {@code 1TiB}.
     *
     * @throws PeerlaneException of category REQUEST if the text has none of these forms
     */
    public static long parse(String text) {
        Matcher m = FORM.matcher(text.strip());
        if (!m.matches()) {
            throw bad(text, "is not a size");
        }
        String unit = m.group(3);
        int shift = unit == null ? 0 : 10 * (1 + "KMGTPE".indexOf(unit.toUpperCase(Locale.ROOT)));
        try {
            return Math.multiplyExact(Long.parseLong(m.group(1)), 1L << shift);
        } catch (ArithmeticException | NumberFormatException e) {
            throw bad(text, "is too large");
        }
    }

    /** Parses like {@link #parse}, for a value that must fit in an int. */
    public static int parseInt(String text) {
        long bytes = parse(text);
        if (bytes > Integer.MAX_VALUE) {
            throw bad(text, "is too large");
        }
        return (int) bytes;
    }

    private static PeerlaneException bad(String text, String what) {
        return PeerlaneException.request(
                "bad-size",
                "'" + text + "' " + what,
                "Write bytes, or a number with a unit from KiB to EiB, such as 64MiB");
    }

    /** Formats a size in the largest unit that gives at least 1, such as 1.5 GiB. */
    public static String text(long bytes) {
        double value = (double) bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        boolean whole = Math.rint(value * 10) % 10 == 0;
        String number = String.format(Locale.ROOT, whole ? "%.0f" : "%.1f", value);
        return number + " " + UNITS[unit];
    }

    /** Formats a rate. */
    public static String rate(double bytesPerSecond) {
        return text(Math.round(bytesPerSecond)) + "/s";
    }

    /** Formats a duration in seconds or milliseconds. */
    public static String seconds(double seconds) {
        return seconds < 1
                ? String.format(Locale.ROOT, "%.0f ms", seconds * 1000)
                : String.format(Locale.ROOT, "%.2f s", seconds);
    }
}
