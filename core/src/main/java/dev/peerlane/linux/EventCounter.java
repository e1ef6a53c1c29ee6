package dev.peerlane.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** An eventfd of another process, which this one signals. It owns its descriptor. */
public final class EventCounter implements AutoCloseable {
    private static final long SYS_WRITE = 1;
    private static final long SYS_FCNTL = 72;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int O_NONBLOCK = 0x800;
    private static final String KIND = "anon_inode:[eventfd]";
    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1);

    private int fd;

    private EventCounter(int fd) {
        this.fd = fd;
    }

    /**
     * Takes ownership of a descriptor and makes it non-blocking, so that signalling a full counter
     * does not wait.
     *
     * @return the counter, or null if the descriptor is not an eventfd; the caller keeps ownership
     *     then
     */
    public static @Nullable EventCounter of(int fd) {
        try {
            Path kind = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd));
            if (!kind.toString().equals(KIND)) {
                return null;
            }
        } catch (IOException e) {
            return null;
        }
        long flags = KernelCalls.call(SYS_FCNTL, fd, F_GETFL, 0, 0, 0, 0);
        long set =
                flags < 0
                        ? flags
                        : KernelCalls.call(SYS_FCNTL, fd, F_SETFL, flags | O_NONBLOCK, 0, 0, 0);
        return set < 0 ? null : new EventCounter(fd);
    }

    /** Adds one to the counter. Allocates nothing. */
    public void signal() {
        // the only error of an eventfd is a full counter, and then its reader is signalled anyway
        KernelCalls.call(SYS_WRITE, fd, ONE.address(), ONE.byteSize(), 0, 0, 0);
    }

    /** Closes the descriptor. Closing again has no effect. */
    @Override
    public void close() {
        if (fd >= 0) {
            KernelCalls.instance().close(fd);
            fd = -1;
        }
    }
}
