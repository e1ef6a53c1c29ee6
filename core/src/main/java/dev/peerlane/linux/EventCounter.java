package dev.peerlane.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** An eventfd of another process, to be counted up. Owns its descriptor. */
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
     * Takes a descriptor over, and has nobody ever wait at it: a counter that is full stays full.
     *
     * @return null if it is no eventfd's; then it stays the caller's
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

    /** Counts it up by one; allocates nothing. */
    public void signal() {
        // the only error of an eventfd is that it is full, and then its reader has enough to do
        KernelCalls.call(SYS_WRITE, fd, ONE.address(), ONE.byteSize(), 0, 0, 0);
    }

    /** Closes its descriptor. A second call does nothing. */
    @Override
    public void close() {
        if (fd >= 0) {
            KernelCalls.instance().close(fd);
            fd = -1;
        }
    }
}
