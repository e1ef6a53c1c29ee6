package dev.peerlane.vfiouser;

import java.util.ArrayList;
import java.util.List;

/** A part of a file at one bus address, with the functions whose servers have it mapped. */
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

    /** Maps the part in a function's server, unless that has it already. */
    void give(UserFunction function) {
        if (!functions.contains(function)) {
            function.link().mapDma(fd, offset, busAddress, bytes);
            functions.add(function);
        }
    }

    /**
     * Unmaps the part from all servers, even if one of them fails.
     *
     * @throws RuntimeException the first error; the failing server may still have the part mapped
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
