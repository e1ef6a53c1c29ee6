package dev.peerlane.vfiouser;

import java.util.ArrayList;
import java.util.List;

/** A part of a file at one bus address, and whose servers have it. */
final class Reach {
    private final int fd;
    private final long offset;
    private final long busAddress;
    private final long bytes;
    private final List<UserFunction> functions = new ArrayList<>();

    Reach(int fd, long offset, long busAddress, long bytes) {
        this.fd = fd;
        this.offset = offset;
        this.busAddress = busAddress;
        this.bytes = bytes;
    }

    /** Hands it to a function's server, unless that has it. */
    void give(UserFunction function) {
        if (!functions.contains(function)) {
            function.link().mapDma(fd, offset, busAddress, bytes);
            functions.add(function);
        }
    }

    /**
     * Takes it back from all of them, whatever one says.
     *
     * @throws RuntimeException the first error; its server may have it still
     */
    void takeBack() {
        RuntimeException first = null;
        for (UserFunction function : functions) {
            try {
                function.link().unmapDma(busAddress, bytes);
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        functions.clear();
        if (first != null) {
            throw first;
        }
    }
}
