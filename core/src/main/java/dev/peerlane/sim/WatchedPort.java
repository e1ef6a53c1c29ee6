package dev.peerlane.sim;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PortLimits;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A port that tells what goes through it, and holds the engine to the seam: a slot has one command
 * in flight at most, over both ports, and completes only if it has one.
 */
final class WatchedPort extends BlockPort {
    private final BlockPort port;
    private final Set<Integer> busy;
    private final Consumer<String> trace;
    private final Consumer<String> violation;

    /**
     * Wraps a port.
     *
     * @param busy the slots in flight on any port of the copy
     */
    WatchedPort(
            BlockPort port, Set<Integer> busy, Consumer<String> trace, Consumer<String> violation) {
        this.port = port;
        this.busy = busy;
        this.trace = trace;
        this.violation = violation;
    }

    private boolean posted(boolean done, String what, int slot, long lba, int blocks) {
        if (done) {
            if (!busy.add(slot)) {
                violation.accept("slot %d got a second command: %s".formatted(slot, what));
            }
            trace.accept(
                    "%s: %s of %d blocks at %d, slot %d"
                            .formatted(port.name(), what, blocks, lba, slot));
        }
        return done;
    }

    @Override
    public String name() {
        return port.name();
    }

    @Override
    public PortLimits limits() {
        return port.limits();
    }

    @Override
    public int attach(PeerBuffer buffer, long offset, int slotBytes, int strideBytes, int count) {
        return port.attach(buffer, offset, slotBytes, strideBytes, count);
    }

    @Override
    public boolean submitRead(int slot, long lba, int blocks) {
        return posted(port.submitRead(slot, lba, blocks), "Read", slot, lba, blocks);
    }

    @Override
    public boolean submitWrite(int slot, long lba, int blocks) {
        return posted(port.submitWrite(slot, lba, blocks), "Write", slot, lba, blocks);
    }

    @Override
    public boolean submitCompare(int slot, long lba, int blocks) {
        return posted(port.submitCompare(slot, lba, blocks), "Compare", slot, lba, blocks);
    }

    @Override
    public boolean submitFlush() {
        trace.accept(port.name() + ": Flush");
        return port.submitFlush();
    }

    @Override
    public void ring() {
        port.ring();
    }

    @Override
    public int poll(int max, Completions completions) {
        return port.poll(
                max,
                new Completions() {
                    @Override
                    public void completed(int slot, int status) {
                        trace.accept(
                                "%s: slot %d ended with %s"
                                        .formatted(port.name(), slot, port.describe(status)));
                        if (slot != NO_SLOT && !busy.remove(slot)) {
                            violation.accept("slot " + slot + " completed with no command");
                        }
                        completions.completed(slot, status);
                    }
                });
    }

    @Override
    public int inFlight() {
        return port.inFlight();
    }

    @Override
    public String abort(int slot) {
        trace.accept(port.name() + ": abort of slot " + slot);
        return port.abort(slot);
    }

    @Override
    public void quiesce() {
        trace.accept(port.name() + ": quiesced");
        port.quiesce();
        busy.clear();
    }

    @Override
    public boolean mayRetry(int status) {
        return port.mayRetry(status);
    }

    @Override
    public boolean isMiscompare(int status) {
        return port.isMiscompare(status);
    }

    @Override
    public String condition() {
        return port.condition();
    }

    @Override
    public String describe(int status) {
        return port.describe(status);
    }

    @Override
    public void close() {
        port.close();
    }
}
