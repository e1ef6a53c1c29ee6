package dev.peerlane.copy.engine;

import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.PeerBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the device behind an error. A command that does not end, a Read that could not deliver and
 * a memory that reads as ones are what the death of a device looks like from outside, and often
 * from another device. So before any of them is told, those that take part are looked at: one that
 * is gone, has failed or was reset is the error, and what was seen of it is told with it.
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
     * Returns the error for a command that did not end in time. The device is asked to give it up
     * where it is well, which may take the time of an Abort.
     *
     * @param slot the command's on that port, or {@link BlockPort#NO_SLOT}: then no Abort is sent
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
