package dev.peerlane;

import dev.peerlane.hal.parts.MemoryFault;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Closes several resources, even if closing one of them fails. */
final class Closing {
    private Closing() {}

    /**
     * Closes the resources in order. The first error is thrown, with the later ones suppressed in
     * it.
     */
    static void all(List<? extends AutoCloseable> all) {
        RuntimeException first = null;
        for (AutoCloseable each : all) {
            RuntimeException problem = problemOf(each);
            if (first == null) {
                first = problem;
            } else if (problem != null) {
                first.addSuppressed(problem);
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private static @Nullable RuntimeException problemOf(AutoCloseable each) {
        try {
            each.close();
            return null;
        } catch (RuntimeException e) {
            return e;
        } catch (InternalError e) {
            return MemoryFault.of("a device", e);
        } catch (Exception e) {
            return new IllegalStateException(e);
        }
    }
}
