package dev.peerlane.spec;

import dev.peerlane.Bits;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Names and hints of status codes. They come from a table next to this class, which is read on the
 * first call.
 */
final class StatusText {
    private static final String TABLE = "status-codes.txt";
    private static final String INDENT = "    ";
    private static final int DIGITS = 3;
    private static final int GENERIC = 0;
    private static final int COMMAND = 1;
    private static final int MEDIA = 2;
    private static final int PATH = 3;
    private static final int VENDOR = 7;
    private static final int VENDOR_SC = 0xC0;
    private static final int COMMAND_SET_SC = 0x80;

    private static final String VENDOR_HINT =
            "Only the drive's vendor knows what this means: see the vendor's documentation.";

    private static final Map<Integer, String> NAMES = new HashMap<>();
    private static final Map<Integer, String> HINTS = new HashMap<>();

    static {
        read();
    }

    private StatusText() {}

    private static void read() {
        try (InputStream in = Objects.requireNonNull(StatusText.class.getResourceAsStream(TABLE));
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            int code = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("#")) {
                    continue;
                }
                if (line.startsWith(INDENT)) {
                    HINTS.merge(code, line.strip(), (a, b) -> a + " " + b);
                } else {
                    code = Integer.parseInt(line, 0, DIGITS, 16);
                    NAMES.put(code, line.substring(DIGITS).strip());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int sct(int code) {
        return Bits.get(code, 10, 8);
    }

    private static int sc(int code) {
        return Bits.get(code, 7, 0);
    }

    static String typeName(int code) {
        return switch (sct(code)) {
            case GENERIC -> "generic";
            case COMMAND -> "command specific";
            case MEDIA -> "media";
            case PATH -> "path";
            case VENDOR -> "vendor specific";
            default -> "reserved type";
        };
    }

    static String name(int code) {
        String name = NAMES.get(code);
        return name == null ? nameOfUnknown(code) : name;
    }

    private static String nameOfUnknown(int code) {
        if (sct(code) == VENDOR || sc(code) >= VENDOR_SC) {
            return "Vendor Specific Status";
        }
        if (sct(code) == COMMAND && sc(code) >= COMMAND_SET_SC) {
            return "Unknown Status of an I/O Command Set";
        }
        return "Unknown Status";
    }

    static String hint(int code) {
        String hint = HINTS.get(code);
        return hint == null ? hintOfType(code) : hint;
    }

    private static String hintOfType(int code) {
        if (sc(code) >= VENDOR_SC) {
            return VENDOR_HINT;
        }
        return switch (sct(code)) {
            case GENERIC ->
                    "The controller refused the command: the error log entry may name the field.";
            case COMMAND ->
                    "The controller refused this command as it was composed: look at its "
                            + "parameters.";
            case MEDIA ->
                    "The data on the medium or its protection is damaged: read SMART and the "
                            + "error log.";
            case PATH -> "The path to the controller failed: use another path or retry.";
            case VENDOR -> VENDOR_HINT;
            default -> "This status is newer than this program, or the completion is damaged.";
        };
    }
}
