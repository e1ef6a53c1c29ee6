package dev.peerlane.emulator;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.watch.BusWatch;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Records which data has moved. */
final class Moves implements BusWatch {
    final List<String> seen = new ArrayList<>();
    long longest;

    @Override
    public void moved(
            Bdf initiator,
            @Nullable Bdf owner,
            long address,
            long bytes,
            Direction direction,
            boolean ioData) {
        if (ioData) {
            longest = Math.max(longest, bytes);
            seen.add(
                    "%x+%d %s"
                            .formatted(
                                    address,
                                    bytes,
                                    direction == Direction.READ ? "read" : "written"));
        }
    }

    @Override
    public void stored(Bdf controller, long offset, long value, int width) {}

    @Override
    public void happens(Fault fault) {}

    @Override
    public void shadowed(Bdf controller, long offset, int value) {}

    @Override
    public void fetched(Bdf controller, int qid, long address, MemorySegment sqe) {}

    @Override
    public void posted(Bdf controller, long address, MemorySegment cqe) {}

    @Override
    public void reset(Bdf controller) {}
}
