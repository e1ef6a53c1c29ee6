package dev.peerlane.cli.shared;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.FenceChoice;
import java.util.Locale;

/** Parses the values of options that several commands share. */
public final class Choices {
    private Choices() {}

    /** Parses {@code --buffer}. */
    public static BufferChoice buffer(String buffer) {
        return switch (buffer) {
            case "auto" -> BufferChoice.AUTO;
            case "target" -> BufferChoice.TARGET;
            case "source" -> BufferChoice.SOURCE;
            case "host" -> BufferChoice.HOST;
            default -> {
                if (buffer.indexOf(':') < 0) {
                    throw PeerlaneException.request(
                            "bad-buffer",
                            "Unknown buffer '" + buffer + "'",
                            "Use auto, target, source, host, or a device such as emu:ssd0");
                }
                yield BufferChoice.device(Opening.device(buffer));
            }
        };
    }

    /** Parses {@code --fence}. */
    public static FenceChoice fence(String fence) {
        for (FenceChoice choice : FenceChoice.values()) {
            if (choice.label().equals(fence.toLowerCase(Locale.ROOT))) {
                return choice;
            }
        }
        throw PeerlaneException.request(
                "bad-fence",
                "Unknown fence '" + fence + "'",
                "Use auto, sentinel, canary, readback or none");
    }
}
