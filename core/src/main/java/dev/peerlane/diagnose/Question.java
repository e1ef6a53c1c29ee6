package dev.peerlane.diagnose;

import dev.peerlane.copy.FenceChoice;
import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * The copy that a diagnosis is about.
 *
 * @param source the controller that Reads its medium
 * @param sourceNsid the source's namespace, or null for any
 * @param target the controller that Writes its medium
 * @param targetNsid the target's namespace, or null for any
 * @param buffer the memory that is to carry the data
 * @param fence the fence that the copy would request
 */
public record Question(
        Bdf source,
        @Nullable Integer sourceNsid,
        Bdf target,
        @Nullable Integer targetNsid,
        Buffer buffer,
        FenceChoice fence) {
    /**
     * Creates a question about a copy between two devices, of any namespace and with the fence
     * chosen automatically.
     */
    public Question(Bdf source, Bdf target, Buffer buffer) {
        this(source, null, target, null, buffer, FenceChoice.AUTO);
    }

    /**
     * Returns the question for the opposite direction, in which the target's memory is the
     * source's.
     */
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
