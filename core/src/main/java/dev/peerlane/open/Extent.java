package dev.peerlane.open;

import dev.peerlane.PeerlaneException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Blocks of a device, as a user names them: {@code DEVICE[/nNSID][@SLBA+BLOCKS]}.
 *
 * @param device the locator of the device, such as {@code emu:ssd0}
 * @param nsid the namespace, or null for the only one there is
 * @param slba first block, or null for the first of the namespace
 * @param blocks how many, or null for all that follow
 */
public record Extent(
        String device, @Nullable Integer nsid, @Nullable Long slba, @Nullable Long blocks) {
    private static final Pattern RANGE = Pattern.compile("(.*)@([^@+/]*)(?:\\+([^@+/]*))?");
    private static final Pattern NAMESPACE = Pattern.compile("(.+)/n([^/]*)");
    private static final Pattern CMB_COPY = Pattern.compile("(.+)-([^-]*)-([^-]*)-([^-]*)");
    private static final long MAX_NSID = 0xffff_fffeL;

    /** Returns a whole device with its only namespace. */
    public static Extent of(String device) {
        return new Extent(device, null, null, null);
    }

    /**
     * Reads {@code DEVICE[/nNSID][@SLBA+BLOCKS]}; {@code @SLBA} alone means all that follows.
     * Numbers are decimal, or hexadecimal after {@code 0x}. The name of a file has no namespace
     * behind it.
     *
     * @throws PeerlaneException of category REQUEST if it has another form; the message names the
     *     part that is wrong
     */
    public static Extent parse(String text) {
        String rest = text;
        Long slba = null;
        Long blocks = null;
        Matcher range = RANGE.matcher(rest);
        if (range.matches()) {
            rest = range.group(1);
            slba = number(text, "first block", range.group(2), 0, Long.MAX_VALUE);
            if (range.group(3) != null) {
                blocks = number(text, "block count", range.group(3), 1, Long.MAX_VALUE);
            }
        }
        Integer nsid = null;
        Matcher namespace = NAMESPACE.matcher(rest);
        if (namespace.matches() && !isPath(rest)) {
            rest = namespace.group(1);
            nsid = (int) number(text, "namespace", namespace.group(2), 1, MAX_NSID);
        }
        return new Extent(Locator.parse(rest).text(), nsid, slba, blocks);
    }

    /**
     * Reads {@code ID-NS-SLBA-NLB}, the form that SPDK's {@code cmb_copy} takes, from the right:
     * the ID may hold a dash. NLB is a count, not zero based.
     *
     * @throws PeerlaneException of category REQUEST if it has another form
     */
    public static Extent parseCmbCopy(String text) {
        Matcher parts = CMB_COPY.matcher(text);
        if (!parts.matches()) {
            throw PeerlaneException.request(
                    "bad-range",
                    "'" + text + "' is not of the form ID-NS-SLBA-NLB",
                    "Write device, namespace, first block and block count with dashes between"
                            + " them, such as 0000:01:00.0-1-0-2048");
        }
        int nsid = (int) number(text, "namespace", parts.group(2), 1, MAX_NSID);
        long slba = number(text, "first block", parts.group(3), 0, Long.MAX_VALUE);
        long blocks = number(text, "block count", parts.group(4), 1, Long.MAX_VALUE);
        return new Extent(Locator.parse(parts.group(1)).text(), nsid, slba, blocks);
    }

    private static boolean isPath(String device) {
        try {
            return !Locator.parse(device).hasNamespaces();
        } catch (PeerlaneException e) {
            // such as emu:ssd0/n1: what is left without the namespace is looked at again
            return false;
        }
    }

    private static long number(String text, String what, String digits, long min, long max) {
        try {
            long value =
                    digits.startsWith("0x")
                            ? Long.parseLong(digits, 2, digits.length(), 16)
                            : Long.parseLong(digits);
            if (value >= min && value <= max && !digits.startsWith("+")) {
                return value;
            }
        } catch (NumberFormatException e) {
            // told below, with the whole text
        }
        throw PeerlaneException.request(
                "bad-range",
                "'%s' in '%s' is no %s".formatted(digits, text, what),
                "Write a number of at least %d, and the range as DEVICE/nNSID@SLBA+BLOCKS"
                        .formatted(min));
    }

    /** Returns it as a user writes it. */
    @Override
    public String toString() {
        String range = slba == null ? "" : "@" + slba + (blocks == null ? "" : "+" + blocks);
        return device + (nsid == null ? "" : "/n" + Integer.toUnsignedString(nsid)) + range;
    }
}
