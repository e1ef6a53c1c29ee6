package dev.peerlane.sim;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.block.PortLimits;

/** A port that accepts every command and ends none. */
final class YesPort extends BlockPort {
    @Override
    public String name() {
        return "yes";
    }

    @Override
    public PortLimits limits() {
        return new PortLimits(512, 8, 4096, 8, 4096, true, true, null);
    }

    @Override
    public int attach(PeerBuffer buffer, long offset, int slotBytes, int strideBytes, int count) {
        return 0;
    }

    @Override
    public boolean submitRead(int slot, long lba, int blocks) {
        return true;
    }

    @Override
    public boolean submitWrite(int slot, long lba, int blocks) {
        return true;
    }

    @Override
    public boolean submitCompare(int slot, long lba, int blocks) {
        return true;
    }

    @Override
    public boolean submitFlush() {
        return true;
    }

    @Override
    public void ring() {}

    @Override
    public int poll(int max, Completions completions) {
        return 0;
    }

    @Override
    public int inFlight() {
        return 0;
    }

    @Override
    public String abort(int slot) {
        return "";
    }

    @Override
    public void quiesce() {}

    @Override
    public boolean mayRetry(int status) {
        return false;
    }

    @Override
    public boolean isMiscompare(int status) {
        return false;
    }

    @Override
    public String condition() {
        return READY;
    }

    @Override
    public void checkHealth() {}

    @Override
    public String describe(int status) {
        return "";
    }

    @Override
    public void close() {}
}
