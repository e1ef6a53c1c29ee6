package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the device that caused an error. A dead device shows as a command that does not end, a Read
 * that delivers nothing, or a memory that reads as ones, and often another device reports it. So
 * before such an error is thrown, all devices of the copy are checked. If one of them is gone, has
 * failed or was reset, that is the error, and the message also says what was seen of it.
 */
public final class Blame {
    private Blame() {}

    /** Returns an error, or the condition of a device that explains it. */
    static PeerlaneException of(PeerlaneException seen, Lane lane) {
        return of(seen, lane.reader(), lane.second(), lane.buffer());
    }

    /** Returns an error, or the condition of a device that explains it. */
    static PeerlaneException of(
            PeerlaneException seen, BlockPort one, BlockPort other, PeerBuffer buffer) {
        if (seen.category() != Category.IO) {
            return seen;
        }
        PeerlaneException found = look(one::checkHealth);
        if (found == null) {
            found = look(other::checkHealth);
        }
        if (found == null) {
            found = look(buffer::checkHealth);
        }
        return found == null ? seen : explained(seen, found);
    }

    /**
     * Returns the error for a command that did not end in time. If the device is well it is asked
     * to abort the command, which may take as long as an Abort.
     *
     * @param slot the slot of the command on that port, or {@link BlockPort#NO_SLOT} to send no
     *     Abort
     * @param what the command, as the subject of a sentence
     */
    public static PeerlaneException late(BlockPort port, int slot, String what, long timeoutNanos) {
        String late = "%s did not end within %.1f s".formatted(what, timeoutNanos / 1e9);
        PeerlaneException found = look(port::checkHealth);
        if (found == null && slot != BlockPort.NO_SLOT) {
            late += "; its abort: " + abort(port, slot);
        }
        PeerlaneException seen =
                PeerlaneException.io(
                        "command-timeout",
                        late,
                        "The device is stuck: look at its log and reset it");
        return found == null ? seen : explained(seen, found);
    }

    private static String abort(BlockPort port, int slot) {
        try {
            return port.abort(slot);
        } catch (PeerlaneException | InternalError e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static @Nullable PeerlaneException look(Runnable at) {
        try {
            at.run();
            return null;
        } catch (PeerlaneException | InternalError e) {
            return Faults.of(e);
        }
    }

    private static PeerlaneException explained(PeerlaneException seen, PeerlaneException found) {
        if (found.code().equals(seen.code())) {
            return seen;
        }
        PeerlaneException both =
                new PeerlaneException(
                        found.category(),
                        found.code(),
                        found.getMessage() + "; " + seen.getMessage(),
                        found.remedy(),
                        found);
        both.addSuppressed(seen);
        return both;
    }
}
