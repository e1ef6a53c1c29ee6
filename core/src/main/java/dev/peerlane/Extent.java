package dev.peerlane;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A range of blocks of a device, written {@code DEVICE[/nNSID][@SLBA+BLOCKS]}.
 *
 * @param device the locator of the device, such as {@code emu:ssd0}
 * @param nsid the namespace, or null for the only one of the device
 * @param slba the first block, or null for the first block of the namespace
 * @param blocks number of blocks, or null for all blocks from the first one to the end
 */
public record Extent(
        String device, @Nullable Integer nsid, @Nullable Long slba, @Nullable Long blocks) {
    private static final Pattern RANGE = Pattern.compile("(.*)@([^@+/]*)(?:\\+([^@+/]*))?");
    private static final Pattern NAMESPACE = Pattern.compile("(.+)/n(\\d+|0x[0-9a-fA-F]+)");
    private static final Pattern CMB_COPY = Pattern.compile("(.+)-([^-]*)-([^-]*)-([^-]*)");
    private static final long MAX_NSID = 0xffff_fffeL;

    /** Returns the extent that covers a device's only namespace. */
    public static Extent of(String device) {
        return new Extent(device, null, null, null);
    }

    /**
     * Parses {@code DEVICE[/nNSID][@SLBA+BLOCKS]}. {@code @SLBA} alone extends to the end of the
     * namespace. Numbers are decimal, or hexadecimal after {@code 0x}.
     *
     * <p>In the path of a socket or a file, a suffix may be part of the name: {@code
     * vfio-user:/x/n1} is namespace 1 of {@code /x}, or the socket {@code /x/n1}. The path that
     * exists wins. If neither exists, {@code /n} and digits name a namespace, and text after an
     * {@code @} is a range.
     *
     * @throws PeerlaneException of category REQUEST if the text has another form (the message names
     *     the part that is wrong), or if both readings exist
     */
    public static Extent parse(String text) {
        Matcher range = RANGE.matcher(text);
        String front = range.matches() ? range.group(1) : text;
        Matcher namespace = NAMESPACE.matcher(front);
        boolean named = namespace.matches() && Locator.hasNamespaces(namespace.group(1));
        String device = named ? namespace.group(1) : front;
        if (Locator.isPath(text)) {
            Extent other = asItIsThere(text, front, device);
            if (other != null) {
                return other;
            }
        }
        if (!named) {
            refuseOtherParts(text, front);
        }
        return read(text, device, named ? namespace.group(2) : null, range.matches());
    }

    /**
     * Returns the reading of a path that exists, or null if none exists. Throws if several exist.
     */
    private static @Nullable Extent asItIsThere(String text, String front, String device) {
        boolean ranged = !front.equals(text);
        List<Extent> there = new ArrayList<>();
        if (Locator.exists(text)) {
            there.add(of(Locator.parse(text).text()));
        }
        if (ranged && Locator.exists(front)) {
            there.add(read(text, front, null, true));
        }
        if (!device.equals(front) && Locator.exists(device)) {
            there.add(read(text, device, NAMESPACE.matcher(front).replaceFirst("$2"), ranged));
        }
        if (there.size() > 1) {
            throw PeerlaneException.request(
                    "two-readings",
                    "'%s' can mean %s, and both exist"
                            .formatted(
                                    text,
                                    there.stream()
                                            .map(Extent::words)
                                            .collect(Collectors.joining(", or "))),
                    "Name the intended one by another path, such as a link to it");
        }
        return there.isEmpty() ? null : there.getFirst();
    }

    private String words() {
        String what = nsid == null ? "" : "namespace " + Integer.toUnsignedString(nsid) + " of ";
        String range = slba == null ? "" : "a range of ";
        return range + what + device;
    }

    private static Extent read(
            String text, String device, @Nullable String namespace, boolean ranged) {
        Long slba = null;
        Long blocks = null;
        Matcher range = RANGE.matcher(text);
        if (ranged && range.matches()) {
            slba = number(text, "first block", range.group(2), 0, Long.MAX_VALUE);
            if (range.group(3) != null) {
                blocks = number(text, "block count", range.group(3), 1, Long.MAX_VALUE);
            }
        }
        Integer nsid =
                namespace == null ? null : (int) number(text, "namespace", namespace, 1, MAX_NSID);
        return new Extent(Locator.parse(device).text(), nsid, slba, blocks);
    }

    /**
     * Throws if something other than a namespace follows a device that has namespaces and no path.
     */
    private static void refuseOtherParts(String text, String front) {
        int slash = front.indexOf('/');
        if (slash > 0
                && !Locator.isPath(front)
                && Locator.hasNamespaces(front.substring(0, slash))) {
            throw PeerlaneException.request(
                    "bad-range",
                    "'%s' in '%s' is not a namespace".formatted(front.substring(slash), text),
                    "Write /n and its number, and the range as DEVICE/nNSID@SLBA+BLOCKS");
        }
    }

    /**
     * Parses {@code ID-NS-SLBA-NLB}, the form that SPDK's {@code cmb_copy} takes. Parses from the
     * right, because the ID may contain a dash. NLB is a block count, not zero-based.
     *
     * @throws PeerlaneException of category REQUEST if the text has another form
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
            // rejected below, where the message quotes the whole text
        }
        throw PeerlaneException.request(
                "bad-range",
                "'%s' in '%s' is not a valid %s".formatted(digits, text, what),
                "Write a number of at least %d, and the range as DEVICE/nNSID@SLBA+BLOCKS"
                        .formatted(min));
    }

    /** Returns the extent as a user writes it. */
    @Override
    public String toString() {
        String range = slba == null ? "" : "@" + slba + (blocks == null ? "" : "+" + blocks);
        return device + (nsid == null ? "" : "/n" + Integer.toUnsignedString(nsid)) + range;
    }
}
