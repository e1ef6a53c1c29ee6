package dev.peerlane.sim;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PortLimits;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A port that reports its commands, and checks the engine's use of slots: over both ports, a slot
 * has at most one command in flight, and it completes only if it has one.
 */
final class WatchedPort extends BlockPort {
    /** A command and the use of its slot. */
    private record Sent(SlotLedger.Use use, long lba, int blocks) {}

    private final BlockPort port;
    private final SlotLedger.Side side;
    private final SlotLedger ledger;
    private final Seen seen;
    private final Consumer<Supplier<String>> trace;
    private final Map<Integer, Sent> sent = new HashMap<>();

    /** Observes the commands. */
    interface Seen {
        /** Called when a command was posted. */
        void posted(SlotLedger.Use use, long lba, int blocks);

        /** Called when a command ended with success. */
        void ended(SlotLedger.Use use, long lba, int blocks);

        /** Called when a Flush ended. */
        void flushed();

        /** Called before the port is polled, outside all other calls to the driver. */
        void polling();
    }

    /**
     * Wraps a port.
     *
     * @param side the side of the copy to which the port belongs
     * @param ledger the slots of all ports of the copy
     */
    WatchedPort(
            BlockPort port,
            SlotLedger.Side side,
            SlotLedger ledger,
            Seen seen,
            Consumer<Supplier<String>> trace) {
        this.port = port;
        this.side = side;
        this.ledger = ledger;
        this.seen = seen;
        this.trace = trace;
    }

    private boolean posted(boolean done, SlotLedger.Use use, int slot, long lba, int blocks) {
        if (done) {
            ledger.posted(side, use, slot);
            sent.put(slot, new Sent(use, lba, blocks));
            trace.accept(() ->
                    "%s: %s of %d blocks at %d, slot %d"
                            .formatted(port.name(), use.word(), blocks, lba, slot));
            seen.posted(use, lba, blocks);
        }
        return done;
    }

    private void ended(int slot, int status) {
        if (slot == NO_SLOT) {
            trace.accept(
                    () -> "%s: Flush ended with %s".formatted(port.name(), port.describe(status)));
            seen.flushed();
            return;
        }
        ledger.completed(side, slot);
        Sent command = sent.remove(slot);
        trace.accept(() ->
                "%s: %s in slot %d ended with %s"
                        .formatted(
                                port.name(),
                                command == null ? "nothing" : command.use().word(),
                                slot,
                                port.describe(status)));
        if (command != null && status == 0) {
            seen.ended(command.use(), command.lba(), command.blocks());
        }
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
        int first = port.attach(buffer, offset, slotBytes, strideBytes, count);
        ledger.attached(side, buffer, offset, slotBytes, strideBytes, count, first);
        return first;
    }

    @Override
    public boolean submitRead(int slot, long lba, int blocks) {
        return posted(port.submitRead(slot, lba, blocks), SlotLedger.Use.READ, slot, lba, blocks);
    }

    @Override
    public boolean submitWrite(int slot, long lba, int blocks) {
        return posted(port.submitWrite(slot, lba, blocks), SlotLedger.Use.WRITE, slot, lba, blocks);
    }

    @Override
    public boolean submitCompare(int slot, long lba, int blocks) {
        return posted(
                port.submitCompare(slot, lba, blocks), SlotLedger.Use.COMPARE, slot, lba, blocks);
    }

    @Override
    public boolean submitFlush() {
        trace.accept(() -> port.name() + ": Flush");
        return port.submitFlush();
    }

    @Override
    public void ring() {
        port.ring();
    }

    @Override
    public int poll(int max, Completions completions) {
        seen.polling();
        return port.poll(
                max,
                new Completions() {
                    @Override
                    public void completed(int slot, int status) {
                        ended(slot, status);
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
        trace.accept(() -> port.name() + ": abort of slot " + slot);
        return port.abort(slot);
    }

    @Override
    public void quiesce() {
        trace.accept(() -> port.name() + ": is stopped");
        port.quiesce();
        sent.clear();
        ledger.stopped(side);
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
    public void checkHealth() {
        port.checkHealth();
    }

    @Override
    public String describe(int status) {
        return port.describe(status);
    }

    @Override
    public void close() {
        port.close();
        ledger.stopped(side);
    }
}
