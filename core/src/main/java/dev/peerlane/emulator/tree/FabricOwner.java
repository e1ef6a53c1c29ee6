package dev.peerlane.emulator.tree;

import dev.peerlane.hal.parts.OwnerThread;

/** The owner thread of a fabric and everything in it. All other threads are rejected. */
public final class FabricOwner {
    private static final String NAME = "the emulated fabric";

    private final OwnerThread thread = new OwnerThread();

    /** Throws if the calling thread is not the owner. */
    public void check() {
        thread.check(NAME);
    }

    /** Gives up ownership: the next thread that uses the fabric becomes its owner. */
    public void handOver() {
        thread.handOver(NAME);
    }
}
