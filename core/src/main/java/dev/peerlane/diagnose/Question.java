package dev.peerlane.diagnose;

import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * A copy that is asked about.
 *
 * @param source who Reads its medium
 * @param sourceNsid which namespace of it, or null for any
 * @param target who Writes its medium
 * @param targetNsid which namespace of it, or null for any
 * @param buffer whose memory is to carry the data
 * @param fence which fence the copy would be asked for
 */
public record Question(
        Bdf source,
        @Nullable Integer sourceNsid,
        Bdf target,
        @Nullable Integer targetNsid,
        Buffer buffer,
        FenceChoice fence) {
    /** A copy between two devices with the fence that is chosen by itself. */
    public Question(Bdf source, Bdf target, Buffer buffer) {
        this(source, null, target, null, buffer, FenceChoice.AUTO);
    }

    /** Returns the copy the other way: the target's memory is then the source's. */
    public Question reversed() {
        Buffer other =
                switch (buffer.kind()) {
                    case TARGET -> Buffer.SOURCE;
                    case SOURCE -> Buffer.TARGET;
                    case AUTO, THIRD -> buffer;
                };
        return new Question(target, targetNsid, source, sourceNsid, other, fence);
    }
}
